import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { newCaller } from '../race/started.ts';

let app: TestApp;
let replica: TestApp;
before(async () => {
  app = await createTestApp();
  replica = await app.replica();
});
after(async () => {
  await replica.close();
  await app.close();
});

const headers = { 'x-tenant': 'default' };
const admin = () => ({ headers: { ...headers, 'x-api-key': app.apiKey } });
const erase = (id: string, at = app) => at.request('DELETE', `/api/v1/admin/users/${id}`, undefined, admin());
let counter = 0;

/** Somebody of whom much is kept: two addresses, a password, devices, notices, a registration, wrong codes. */
async function person() {
  const marker = `zz${++counter}marker`;
  const email = `${marker}@example.com`;
  const phone = `+1415559${String(counter).padStart(4, '0')}`;
  const agent = { 'user-agent': `Agent-${marker}/1.0 Firefox` };
  const from = newCaller();
  const options = { from, headers: { ...headers, ...agent } };
  const profile = { first_name: `First-${marker}`, last_name: `Last-${marker}`, username: marker };
  const made = await app.signIn({ email }, { ...profile, device: { name: `Phone of ${marker}` } }, options);
  const token = made.body.access_token as string;
  const id = made.body.user.id as string;
  const sent = await app.post('/api/v1/auth/identities', { phone }, { token, ...options });
  const code = await app.code(phone);
  const linked = { verification_id: sent.body.verification_id, code };
  assert.equal((await app.post('/api/v1/auth/verify-code', linked, { token, ...options })).status, 200);
  const set = { new_password: `violet harbour ${counter} mandolin` };
  assert.equal((await app.post('/api/v1/auth/change-password', set, { token, ...options })).status, 200);
  await app.post('/api/v1/auth/logout', { scope: 'others' }, { token, ...options });
  await app.post('/api/v1/auth/verify-code', { email, code: '000000' }, { from, headers });
  return { id, token, email, phone, marker, from, session: made.body.session.id as string };
}

/** Every row of the tenant's tables, as text, but for what a server needs to refuse abuse for another day. */
async function everything(): Promise<string> {
  const { sql } = app.databases.control;
  const tables = await sql<{ name: string }[]>`select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE'
      and table_name not in ('address_budgets', 'buckets', 'dev_inbox')`;
  const rows = await Promise.all(
    tables.map(async ({ name }) =>
      (await sql`select to_jsonb(t)::text as row from ${sql(name)} t`).map((row) => `${name} ${row['row']}`),
    ),
  );
  return rows.flat().join('\n');
}

test('S49 after a removal nothing of the person is in the database, the chain verifies, and one event tells of it', async () => {
  const ada = await person();
  const bystander = await person();
  await app.app.worker.dispatch();
  await app.app.worker.chainAudit();
  const traces = [ada.marker, ada.phone, ada.from];
  const before = await everything();
  for (const trace of traces) assert.ok(before.includes(trace), `${trace} was there`);
  assert.equal((await erase(ada.id)).status, 200);
  const after = await everything();
  for (const trace of traces) {
    const left = after.split('\n').filter((row) => row.includes(trace));
    assert.deepEqual(left, [], trace);
  }
  assert.ok(after.includes(bystander.marker) && after.includes(bystander.phone), 'nobody else lost anything');
  assert.equal((await app.get('/api/v1/auth/session', { token: bystander.token })).status, 200);
  for (const round of [1, 2]) {
    const found = await app.app.audit.verify(
      app.databases.control,
      app.app.tenants.bySlug('default')?.id ?? '',
    );
    assert.equal(found.broken, undefined, `round ${round}`);
    await app.app.worker.chainAudit();
  }
  const events = await app.databases.control.sql`
    select actor from audit_events where action = 'user.erased' and subject = ${`user:${ada.id}`}`;
  assert.equal(events.length, 1);
  assert.match(String(events[0]?.['actor']), /^api_key:/);
});

test('S14 a person who was removed is signed out on every server, and may begin again as somebody new', async () => {
  const { id, token, email } = await person();
  assert.equal((await replica.get('/api/v1/auth/session', { token })).status, 200);
  assert.equal((await erase(id)).status, 200);
  for (const server of [app, replica]) {
    assert.equal((await server.get('/api/v1/auth/session', { token })).status, 401);
    assert.equal((await server.get('/api/v1/auth/me', { token })).status, 401);
  }
  assert.equal((await app.get(`/api/v1/admin/users/${id}`, admin())).status, 404);
  app.clock.advance(61);
  const anew = await app.signIn({ email }, {}, { from: newCaller(), headers });
  assert.deepEqual([anew.status, anew.body.is_new_user], [201, true]);
  assert.notEqual(anew.body.user.id, id);
  app.clock.advance(2 * 86_400 + 60);
  await app.app.worker.sweep();
  const rows = await app.databases.control.sql`select 1 from users where id = ${id}`;
  assert.equal(rows.length, 0, 'the id goes, too');
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 401);
});

test('S49 a removal asked for twice, at once or again, is one removal; one that dies in the middle removes nothing', async () => {
  const { sql } = app.databases.control;
  const { id, token, email } = await person();
  await sql.unsafe(`create function refuse_event() returns trigger language plpgsql as $$ begin
      if new.action = 'user.erased' then raise exception 'failpoint'; end if; return new; end $$;
    create trigger failpoint before insert on audit_events for each row execute function refuse_event()`);
  assert.equal((await erase(id)).status, 500);
  await sql.unsafe('drop trigger failpoint on audit_events; drop function refuse_event()');
  assert.equal((await app.get('/api/v1/auth/me', { token })).body.user.email, email, 'all of it is there');
  const answers = await Promise.all([erase(id), erase(id, replica), erase(id)]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  );
  assert.equal((await erase(id)).body.message, 'It was removed already: nothing is left.');
  const [row] = await sql`select count(*)::int as events from audit_events
    where action = 'user.erased' and subject = ${`user:${id}`}`;
  assert.equal(row?.['events'], 1);
  assert.equal((await erase(app.app.newId())).status, 404);
});

test('S49 a sign-in and a removal at once: somebody new, or nobody; never the old account again', async () => {
  for (let round = 0; round < 6; round++) {
    const { id, email } = await person();
    app.clock.advance(61);
    const known = await app.newestMessage(email);
    const sent = await app.post('/api/v1/auth/send-verification', { email }, { from: newCaller(), headers });
    const code = await app.code(email, { after: known });
    const body = { verification_id: sent.body.verification_id, code };
    const [signedIn, erased] = await Promise.all([
      app.post('/api/v1/auth/verify-code', body, { from: newCaller() }),
      erase(id),
    ]);
    assert.equal(erased.status, 200);
    if (signedIn.status === 200) {
      const { access_token: token } = signedIn.body;
      assert.equal(
        (await app.get('/api/v1/auth/session', { token })).status,
        401,
        'it came first, and ended',
      );
    }
    const [left] = await app.databases.control.sql`select count(*)::int as live from sessions
      where user_id = ${id} and revoked_at is null`;
    assert.equal(left?.['live'], 0);
  }
});

test('a person’s export holds what is kept of them, and nothing by which anybody could sign in', async () => {
  const ada = await person();
  await app.app.worker.chainAudit();
  const { status, body } = await app.get(`/api/v1/admin/users/${ada.id}/export`, admin());
  assert.equal(status, 200);
  const text = JSON.stringify(body.export);
  for (const trace of [ada.email, ada.phone, `First-${ada.marker}`, `Phone of ${ada.marker}`, ada.from]) {
    assert.ok(text.includes(trace), trace);
  }
  assert.doesNotMatch(text, /\$argon2|code_hash|code_sealed|"password_hash"/);
  assert.equal(body.export.user.has_password, true);
  assert.ok(body.export.events.some((event: { action: string }) => event.action === 'user.created'));
});

test('S32 who is signed in removes the own account with a fresh proof, and with nothing less', async () => {
  const { id, token, email } = await person();
  app.clock.advance(301);
  const refused = await app.request('DELETE', '/api/v1/auth/me', undefined, { token });
  assert.deepEqual([refused.status, refused.body.error], [403, 'STEP_UP_REQUIRED']);
  const known = await app.newestMessage(email);
  const [way] = refused.body.ways as { method: string; identity_id: string }[];
  const mail = refused.body.ways.find((one: { method: string }) => one.method === 'email') ?? way;
  const sent = await app.post('/api/v1/auth/step-up', { identity_id: mail.identity_id }, { token });
  const code = await app.code(email, { after: known });
  await app.post('/api/v1/auth/verify-code', { verification_id: sent.body.verification_id, code }, { token });
  const done = await app.request('DELETE', '/api/v1/auth/me', undefined, { token });
  assert.equal(done.status, 200);
  assert.equal((await app.get('/api/v1/auth/me', { token })).status, 401);
  const [event] = await app.databases.control.sql`select actor, ip from audit_events
    where action = 'user.erased' and subject = ${`user:${id}`}`;
  assert.deepEqual({ ...event }, { actor: `user:${id}`, ip: null });
});
