import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { atOnce, tally } from '../race/at-once.ts';
import { newCaller, sendPath, verifyPath } from '../race/started.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp({
    tenants: { us: { recycled_numbers: { mode: 'new_account' } }, uz: { recycled_numbers: { mode: 'off' } } },
  });
});
after(() => app.close());

const AUTH = '/api/v1/auth';
const secondProofPath = `${AUTH}/second-proof`;
const DAYS = 86_400;
const headers = { 'x-tenant': 'default' };
let counter = 0;
const newPhone = (): string => `+1415556${String(++counter).padStart(4, '0')}`;
const newMail = (): string => `idle-${++counter}@example.com`;
const from = newCaller;

interface Person {
  userId: string;
  phone: string;
  email: string | undefined;
}

/** An account with a phone, and an e-mail address where one is wanted, that was last used so many days ago. */
async function idlePerson(
  options: { email?: boolean; password?: string; days?: number } = {},
): Promise<Person> {
  const phone = newPhone();
  const made = await app.signIn({ phone }, { first_name: 'Before' }, { from: from(), headers });
  assert.equal(made.status, 201);
  const token = made.body.access_token as string;
  let email: string | undefined;
  if (options.email) {
    email = newMail();
    const sent = await app.post(`${AUTH}/identities`, { email }, { token });
    const code = await app.code(email);
    const linked = { verification_id: sent.body.verification_id, code };
    assert.equal((await app.post(verifyPath, linked, { token })).status, 200);
  }
  if (options.password) {
    const set = await app.post(`${AUTH}/change-password`, { new_password: options.password }, { token });
    assert.equal(set.status, 200);
  }
  app.clock.advance((options.days ?? 91) * DAYS);
  await app.app.worker.sweep();
  return { userId: made.body.user.id, phone, email };
}

const byNumber = (phone: string, tenant = 'default') =>
  app.signIn({ phone }, {}, { from: from(), headers: { 'x-tenant': tenant } });

async function holderOf(value: string): Promise<string | undefined> {
  const [row] = await app.databases.control.sql`select user_id from identities where value = ${value}`;
  return row?.['user_id'] as string | undefined;
}

test('S35 a number alone does not open an account that lay idle for more than 90 days: another address does', async () => {
  const { userId, phone, email } = await idlePerson({ email: true });
  assert.ok(email);
  const asked = await byNumber(phone);
  assert.equal(asked.status, 403);
  assert.equal(asked.body.error, 'SECOND_PROOF_REQUIRED');
  assert.equal(asked.body.next_action, 'SECOND_PROOF');
  assert.deepEqual(
    asked.body.ways.map((way: { method: string }) => way.method),
    ['email', 'new_account'],
  );
  assert.ok(!JSON.stringify(asked.body).includes(email), 'the address is masked');
  assert.equal(asked.body.access_token, undefined);
  const [way] = asked.body.ways;
  const token = asked.body.second_proof_token as string;
  const before = await app.newestMessage(email);
  const sent = await app.post(secondProofPath, { token, identity_id: way.identity_id }, { from: from() });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const code = await app.code(email, { after: before });
  const done = await app.post(verifyPath, { verification_id: sent.body.verification_id, code });
  assert.equal(done.status, 200);
  assert.deepEqual([done.body.user.id, done.body.is_new_user], [userId, false]);
  assert.equal((await byNumber(phone)).body.user.id, userId, 'in use again, the number is enough');
});

test('S35 the password is a second proof; ninety days exactly are not more than ninety', async () => {
  const password = 'violet harbour 19 mandolin';
  const { userId, phone } = await idlePerson({ password, days: 90 });
  assert.equal((await byNumber(phone)).status, 200, 'to the second');
  app.clock.advance(90 * DAYS + 1);
  const asked = await byNumber(phone);
  const token = asked.body.second_proof_token as string;
  assert.deepEqual(asked.body.ways[0], { method: 'password' });
  const wrong = await app.post(secondProofPath, { token, password: 'another harbour 20' }, { from: from() });
  assert.equal(wrong.status, 401);
  const right = await app.post(secondProofPath, { token, password }, { from: from() });
  assert.deepEqual([right.status, right.body.user.id], [200, userId]);
});

test('S35 who has the number now begins anew: the former owner keeps all but the number, and is told elsewhere', async () => {
  const { userId, phone, email = '' } = await idlePerson({ email: true });
  const { sql } = app.databases.control;
  // A session that is somehow still alive ends with it.
  await sql`update sessions set revoked_at = null, expires_at = expires_at + interval '1 year' where user_id = ${userId}`;
  const asked = await byNumber(phone);
  const token = asked.body.second_proof_token as string;
  const anew = await app.post(secondProofPath, { token, new_account: true }, { from: from() });
  assert.equal(anew.status, 201, JSON.stringify(anew.body));
  assert.notEqual(anew.body.user.id, userId);
  assert.deepEqual([anew.body.user.first_name, anew.body.user.email], [null, null]);
  assert.equal(await holderOf(phone), anew.body.user.id);
  const again = await app.post(secondProofPath, { token, new_account: true }, { from: from() });
  assert.equal(again.status, 401, 'one account at most');
  const [former] =
    await sql`select first_name, is_active, live_sessions, (select count(*)::int from sessions s
    where s.user_id = u.id and s.revoked_at is null) as sessions from users u where id = ${userId}`;
  assert.deepEqual({ ...former }, { first_name: 'Before', is_active: false, live_sessions: 0, sessions: 0 });
  const own = await app.signIn({ email }, {}, { from: from(), headers });
  assert.equal(own.body.user.id, userId);
  assert.equal(own.body.user.phone, null);
  const events = await sql`select actor, subject from audit_events
    where action = 'identity.taken_over' and subject = ${`user:${userId}`}`;
  assert.deepEqual([...events], [{ actor: `user:${anew.body.user.id}`, subject: `user:${userId}` }]);
  for (let attempt = 0; attempt < 100; attempt++) {
    await app.app.worker.dispatch();
    const { body } = await app.get(`/dev/messages?to=${email}&limit=10`);
    if (
      (body as { text: string }[]).some(({ text }) =>
        /no longer signs in|it belongs to a new account/i.test(text),
      )
    )
      break;
    assert.ok(attempt < 99, 'the former owner was not told');
    await wait(20);
  }
  const { body: sms } = await app.get(`/dev/messages?to=${encodeURIComponent(phone)}&limit=10`);
  const told = (sms as { text: string }[]).filter(({ text }) => /no longer|new account/.test(text));
  assert.deepEqual(told, [], 'nothing by the number');
});

test('S35 a number that is all an account has begins a new one, unless the tenant lets it sign in', async () => {
  const first = await idlePerson();
  const anew = await byNumber(first.phone);
  assert.deepEqual([anew.status, anew.body.is_new_user], [201, true]);
  assert.notEqual(anew.body.user.id, first.userId);
  const second = await idlePerson();
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant);
  const settings = (recycled_numbers: object, more = {}) =>
    app.app.tenants.update(app.app.tenants.bySlug('default') ?? tenant, {
      settings: { ...tenant.settings, recycled_numbers, ...more },
    });
  await settings({ alone: 'sign_in' });
  assert.equal((await byNumber(second.phone)).body.user.id, second.userId);
  const third = await idlePerson();
  await settings({}, { registration: 'closed' });
  const refused = await byNumber(third.phone);
  assert.deepEqual([refused.status, refused.body.next_action], [403, 'ASK_ADMINISTRATOR']);
  assert.equal(await holderOf(third.phone), third.userId);
  await settings({});
});

test('S35 new_account takes the number at once, off never does', async () => {
  const people = { us: '+14155569001', uz: '+998901234567' };
  for (const [tenant, phone] of Object.entries(people)) {
    const made = await byNumber(phone, tenant);
    app.clock.advance(91 * DAYS);
    const again = await byNumber(phone, tenant);
    assert.equal(again.body.user.id === made.body.user.id, tenant === 'uz', tenant);
  }
});

test('S35 a forgotten password is no way round it', async () => {
  const password = 'violet harbour 19 mandolin';
  const recover = async (phone: string) => {
    const before = await app.newestMessage(phone);
    const sent = await app.post(`${AUTH}/forgot-password`, { phone }, { from: from(), headers });
    const code = await app.code(phone, { after: before });
    return app.post(verifyPath, { verification_id: sent.body.verification_id, code }, { from: from() });
  };
  const withMail = await idlePerson({ email: true, password });
  const asked = await recover(withMail.phone);
  assert.deepEqual([asked.status, asked.body.error], [403, 'SECOND_PROOF_REQUIRED']);
  assert.deepEqual(
    asked.body.ways.map((way: { method: string }) => way.method),
    ['email'],
  );
  const token = asked.body.second_proof_token as string;
  const anew = await app.post(secondProofPath, { token, new_account: true }, { from: from() });
  assert.equal(anew.status, 400);
  assert.equal(asked.body.reset_token, undefined);
  const alone = await idlePerson({ password });
  const refused = await recover(alone.phone);
  assert.deepEqual([refused.status, refused.body.next_action], [403, 'SIGN_IN']);
});

test('S35 a closed account stays closed, and an e-mail address asks for nothing more', async () => {
  const closed = await idlePerson();
  await app.databases.control.sql`update users set is_disabled = true where id = ${closed.userId}`;
  assert.equal((await byNumber(closed.phone)).body.error, 'ACCOUNT_DISABLED');
  const { email = '', userId } = await idlePerson({ email: true });
  assert.equal((await app.signIn({ email }, {}, { from: from(), headers })).body.user.id, userId);
});

test('S35 the token of a second proof is of its own tenant, ten minutes and no more', async () => {
  const { phone } = await idlePerson({ email: true });
  const asked = await byNumber(phone);
  const token = asked.body.second_proof_token as string;
  const changed = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
  for (const [body, headersOf] of [
    [{ token: changed, new_account: true }, {}],
    [{ token, new_account: true }, { 'x-tenant': 'us' }],
  ] as const) {
    const answer = await app.post(secondProofPath, body, { from: from(), headers: headersOf });
    assert.equal(answer.status, 401);
  }
  app.clock.advance(601);
  const late = await app.post(secondProofPath, { token, new_account: true }, { from: from() });
  assert.equal(late.body.error, 'TOKEN_EXPIRED');
});

test('S35 twenty who take a number at once make one account, and one who signs in meanwhile by another address keeps it or not', async () => {
  const { phone, userId } = await idlePerson({ email: true });
  const asked = await byNumber(phone);
  const body = { token: asked.body.second_proof_token, new_account: true };
  const answers = await atOnce(
    Array.from({ length: 20 }, () => ({ app, path: secondProofPath, body, from: from() })),
  );
  assert.deepEqual(tally(answers), { '201': 1, '401 TOKEN_INVALID': 19 });
  const { sql } = app.databases.control;
  const [count] = await sql`select count(*)::int as taken from audit_events
    where action = 'identity.taken_over' and subject = ${`user:${userId}`}`;
  assert.equal(count?.['taken'], 1);

  for (let round = 0; round < 8; round++) {
    const person = await idlePerson({ email: true });
    const { email = '' } = person;
    const again = await byNumber(person.phone);
    const known = await app.newestMessage(email);
    const sent = await app.post(sendPath, { email }, { from: from(), headers });
    const code = await app.code(email, { after: known });
    const [anew, own] = await atOnce([
      {
        app,
        path: secondProofPath,
        body: { token: again.body.second_proof_token, new_account: true },
        from: from(),
      },
      { app, path: verifyPath, body: { verification_id: sent.body.verification_id, code }, from: from() },
    ]);
    assert.equal(own?.body.user.id, person.userId);
    const holder = await holderOf(person.phone);
    assert.equal(
      holder === person.userId,
      anew?.body.user.id === person.userId,
      'the answer tells the truth',
    );
  }
});

test('S35 a statement that dies in the middle leaves the number where it was, and the code usable', async () => {
  const { phone, userId } = await idlePerson();
  const { sql } = app.databases.control;
  await sql.unsafe(`create function refuse_notice() returns trigger language plpgsql as $$ begin raise exception 'failpoint'; end $$;
    create trigger failpoint before insert on notices for each row execute function refuse_notice()`);
  const before = await app.newestMessage(phone);
  const sent = await app.post(sendPath, { phone }, { from: from(), headers });
  const code = await app.code(phone, { after: before });
  const body = { verification_id: sent.body.verification_id, code };
  assert.equal((await app.post(verifyPath, body, { from: from() })).status, 500);
  await sql.unsafe('drop trigger failpoint on notices; drop function refuse_notice()');
  assert.equal(await holderOf(phone), userId);
  const again = await app.post(verifyPath, body, { from: from() });
  assert.deepEqual([again.status, again.body.is_new_user], [201, true]);
});

test('S35 devices that share a session: a new holder of the number joins nothing of the former', async () => {
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant);
  const { settings } = tenant;
  await app.app.tenants.update(tenant, {
    settings: { ...settings, sessions: { sharing: 'per_user', style: 'opaque' } },
  });
  const phone = newPhone();
  const former = await byNumber(phone);
  await app.databases.control
    .sql`update users set last_login = last_login - interval '91 days' where id = ${former.body.user.id}`;
  const anew = await byNumber(phone);
  assert.equal(anew.status, 201, JSON.stringify(anew.body));
  assert.notEqual(anew.body.session_token, former.body.session_token);
  const token = former.body.session_token as string;
  assert.equal((await app.get(`${AUTH}/session`, { token })).status, 401);
  const own = await app.get(`${AUTH}/session`, { token: anew.body.session_token });
  assert.equal(own.body.user_id, anew.body.user.id);
  await app.app.tenants.update(app.app.tenants.bySlug('default') ?? tenant, { settings });
});
