import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { atOnce, tally } from '../race/at-once.ts';

const CODE = '738291';
const LAST_DAY = '2026-03-31';
const SEND = '/api/v1/auth/send-verification';
const VERIFY = '/api/v1/auth/verify-code';

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

const admin = () => ({ headers: { 'x-api-key': app.apiKey } });
const patch = (testAddresses: unknown, tenant = 'default') =>
  app.request(
    'PATCH',
    `/api/v1/admin/tenants/${tenant}`,
    { settings: { test_addresses: testAddresses } },
    admin(),
  );

let counter = 0;
/** An address of its own for each test, with the fixed code. */
async function named(more: Record<string, unknown> = {}): Promise<string> {
  const email = `reviewer${++counter}@example.com`;
  const { status, body } = await patch([
    { address: email, code: CODE, last_day: LAST_DAY, uses: 3, ...more },
  ]);
  assert.equal(status, 200, JSON.stringify(body));
  await replica.app.tenants.reload();
  return email;
}

let callers = 0;
async function signIn(email: string, device: string, code = CODE) {
  const sent = await app.post(SEND, { email }, { from: `198.51.100.${(callers += 1)}` });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const { verification_id } = sent.body;
  return app.post(VERIFY, { verification_id, code, device: { name: device } });
}

/** Everything that was written for an address and might leave. */
async function leaving(email: string): Promise<number> {
  await app.app.worker.dispatch();
  const { body } = await app.get(`/dev/messages?to=${encodeURIComponent(email)}&limit=10`);
  const [row] = await app.databases.control.sql<{ count: number }[]>`
    select count(*)::int as count from messages m join verifications v
      on v.tenant_id = m.tenant_id and v.id = m.verification_id where v.value = ${email}`;
  return body.length + (row?.count ?? 0);
}

async function used(): Promise<number> {
  const entry = app.app.tenants.bySlug('default')?.policy.testAddresses[0];
  const [row] = await app.databases.control.sql<{ used: number }[]>`
    select used from test_address_uses where entry_id = ${entry?.id ?? ''}::uuid`;
  return row?.used ?? 0;
}

test('C20 the fixed code makes one account and signs in to it, so many times; nothing is ever sent', async () => {
  const email = await named({ uses: 2 });
  const first = await signIn(email, 'tablet');
  assert.equal(first.status, 201);
  assert.equal(first.body.is_new_user, true);
  const second = await signIn(email, 'phone');
  assert.equal(second.status, 200);
  assert.equal(second.body.user.id, first.body.user.id);
  assert.equal(await used(), 2);
  const third = await signIn(email, 'watch');
  assert.equal(third.status, 401);
  assert.equal(third.body.error, 'INVALID_CODE');
  assert.equal(await leaving(email), 0, 'no code, no notice of a new device');
});

test('C20 sending again sends nothing, and the code still works', async () => {
  const email = await named();
  const sent = await app.post(SEND, { email });
  app.clock.advance(61);
  const again = await app.post('/api/v1/auth/resend-otp', { verification_id: sent.body.verification_id });
  assert.equal(again.status, 200);
  const status = await app.get(`/api/v1/auth/verifications/${sent.body.verification_id}`);
  assert.deepEqual([status.status, status.body.state], [200, 'sent']);
  assert.equal(await leaving(email), 0);
  const proved = await app.post(VERIFY, { email, code: CODE });
  assert.equal(proved.status, 201);
});

test('C20 a sign-up is proved by it, changed on the way or not, and nothing is sent', async () => {
  const email = await named();
  const register = { email, password: 'a rather long password 9', first_name: 'Ada' };
  const kept = await app.post('/api/v1/auth/register', register);
  assert.equal(kept.status, 202);
  app.clock.advance(61);
  const { verification_id } = kept.body;
  const changed = await app.post('/api/v1/auth/register', {
    ...register,
    first_name: 'Eve',
    verification_id,
  });
  assert.equal(changed.status, 202);
  const proved = await app.post(VERIFY, { verification_id, code: CODE });
  assert.equal(proved.status, 201);
  assert.equal(proved.body.user.first_name, 'Eve');
  assert.equal(await leaving(email), 0);
});

test('C20 the code proves no other address, and no address of another tenant', async () => {
  await named();
  assert.equal((await signIn('somebody@example.com', 'x')).body.error, 'INVALID_CODE');
  const email = `reviewer${counter}@example.com`;
  const headers = { 'x-tenant': 'us' };
  const sent = await app.post(SEND, { email }, { headers });
  const { verification_id } = sent.body;
  const answer = await app.post(VERIFY, { verification_id, code: CODE }, { headers });
  assert.equal(answer.body.error, 'INVALID_CODE');
  assert.notEqual(await app.code(email), CODE);
});

test('C20 of many who take the last use at once one has it', async () => {
  const email = await named({ uses: 1 });
  const handles: string[] = [];
  for (let index = 0; index < 3; index += 1) {
    handles.push((await app.post(SEND, { email })).body.verification_id);
    app.clock.advance(61);
  }
  const answers = await atOnce(
    Array.from({ length: 24 }, (_, index) => ({
      app: index % 2 === 0 ? app : replica,
      path: VERIFY,
      body: { verification_id: handles[index % 3], code: CODE },
    })),
  );
  assert.equal(answers.filter(({ status }) => status < 300).length, 1, JSON.stringify(tally(answers)));
  assert.equal(await used(), 1);
});

test('C20 a code begun while a use was left is refused once the use is gone, right or wrong', async () => {
  const email = await named({ uses: 1 });
  const { verification_id } = (await app.post(SEND, { email })).body;
  // As another server's proof leaves it, in the moment between.
  await app.databases.control.sql`update test_address_uses set used = used + 1
    where entry_id = ${app.app.tenants.bySlug('default')?.policy.testAddresses[0]?.id ?? ''}::uuid`;
  for (const code of [CODE, '111222']) {
    const answer = await app.post(VERIFY, { verification_id, code });
    assert.deepEqual([answer.status, answer.body.error], [410, 'CODE_EXPIRED']);
  }
  assert.equal(await used(), 1);
});

test('C20 the code works on its last day and not a minute longer, also when it was begun before', async () => {
  const app = await createTestApp({ start: new Date('2026-03-10T23:58:00.000Z') });
  try {
    const entry = (address: string) => ({ address, code: CODE, last_day: '2026-03-10', uses: 9 });
    const settings = { test_addresses: [entry('one@example.com'), entry('two@example.com')] };
    const tenant = app.app.tenants.bySlug('default');
    assert.ok(tenant);
    await app.app.tenants.update(tenant, { settings });
    const prove = async (email: string) => {
      const { verification_id } = (await app.post(SEND, { email })).body;
      return () => app.post(VERIFY, { verification_id, code: CODE });
    };
    assert.equal((await (await prove('one@example.com'))()).status, 201);
    const late = await prove('two@example.com');
    app.clock.advance(150);
    assert.equal((await late()).body.error, 'CODE_EXPIRED');
    app.clock.advance(61);
    assert.equal((await (await prove('two@example.com'))()).body.error, 'INVALID_CODE');
  } finally {
    await app.close();
  }
});

test('C20 an address with a real account gets a real code, and the fixed one opens nothing', async () => {
  const email = `owner${++counter}@example.com`;
  const real = await app.signIn({ email });
  assert.equal(real.status, 201);
  const before = await app.newestMessage(email);
  await patch([{ address: email, code: CODE, last_day: LAST_DAY, uses: 3 }]);
  const answer = await signIn(email, 'x');
  assert.equal(answer.body.error, 'INVALID_CODE');
  assert.notEqual(await app.code(email, { after: before }), CODE);
});

test('C20 a real account that appears while a fixed code waits is not opened by it', async () => {
  const email = await named();
  const { verification_id } = (await app.post(SEND, { email })).body;
  const { sql } = app.databases.control;
  const tenantId = app.app.tenants.bySlug('default')?.id ?? '';
  const [userId, identityId] = [app.app.newId(), app.app.newId()];
  // An import: it proves nothing, so the code still waits.
  await sql`insert into users (tenant_id, id, role, is_verified) values (${tenantId}, ${userId}, 'user', false)`;
  await sql`insert into identities (tenant_id, id, user_id, kind, value, as_entered, verified_at, created_at)
    values (${tenantId}, ${identityId}, ${userId}, 'email', ${email}, ${email}, null, ${app.clock.now()})`;
  const answer = await app.post(VERIFY, { verification_id, code: CODE });
  assert.deepEqual([answer.status, answer.body.error], [404, 'ACCOUNT_NOT_FOUND']);
  const [row] = await sql`select count(*)::int as count from sessions where user_id = ${userId}`;
  assert.equal(row?.count, 0);
});

test('C20 a tester’s account goes with its entry, sessions and all; until then its owner does not get into it', async () => {
  const email = await named();
  const tester = await signIn(email, 'tablet');
  assert.equal(tester.status, 201);
  await app.app.worker.sweep();
  assert.equal((await app.get('/api/v1/auth/me', { token: tester.body.access_token })).status, 200);
  await patch([]);
  app.clock.advance(61);
  const refused = await app.signIn({ email });
  assert.deepEqual([refused.status, refused.body.error], [404, 'ACCOUNT_NOT_FOUND']);
  await app.app.worker.sweep();
  for (const one of [app, replica]) {
    assert.equal((await one.get('/api/v1/auth/me', { token: tester.body.access_token })).status, 401);
  }
  const refresh = await app.post('/api/v1/auth/refresh', { refresh_token: tester.body.refresh_token });
  assert.equal(refresh.status, 401);
  const owner = await app.signIn({ email });
  assert.equal(owner.status, 201);
  assert.notEqual(owner.body.user.id, tester.body.user.id);
  const [event] = await app.databases.control.sql`
    select actor, data from audit_events where action = 'user.removed' and subject = ${`user:${tester.body.user.id}`}`;
  assert.deepEqual([event?.actor, event?.data], ['system', { reason: 'test_address_over' }]);
});

test('C20 the code sets no password, adds no address and steps nothing up', async () => {
  const email = await named();
  const { body: tester } = await signIn(email, 'tablet');
  const token = tester.access_token as string;
  app.clock.advance(61);
  const forgot = await app.post('/api/v1/auth/forgot-password', { email });
  assert.equal(forgot.status, 200);
  const reset = await app.post(VERIFY, { verification_id: forgot.body.verification_id, code: CODE });
  assert.equal(reset.body.error, 'INVALID_CODE');
  app.clock.advance(301);
  const step = await app.post('/api/v1/auth/step-up', {}, { token });
  assert.equal(step.status, 200);
  const stepped = await app.post(
    VERIFY,
    { verification_id: step.body.verification_id, code: CODE },
    { token },
  );
  assert.equal(stepped.body.error, 'INVALID_CODE');
  assert.equal(await leaving(email), 0);
});

test('C20 somebody real cannot add a test address by its code', async () => {
  const email = await named();
  const { body: owner } = await app.signIn({ email: `owner${++counter}@example.com` });
  const token = owner.access_token as string;
  const linking = await app.post('/api/v1/auth/identities', { email }, { token });
  assert.equal(linking.status, 200);
  const { verification_id } = linking.body;
  const linked = await app.post(VERIFY, { verification_id, code: CODE }, { token });
  assert.equal(linked.body.error, 'INVALID_CODE');
});

test('C20 guesses at a fixed code are counted like any other', async () => {
  const email = await named();
  const { verification_id } = (await app.post(SEND, { email })).body;
  for (let guess = 0; guess < 5; guess += 1) {
    await app.post(VERIFY, { verification_id, code: `11122${guess}` });
  }
  const answer = await app.post(VERIFY, { verification_id, code: CODE });
  assert.equal(answer.body.error, 'TOO_MANY_ATTEMPTS');
  assert.equal((await app.post(SEND, { email })).status, 429, 'the cool-down holds too');
  assert.equal(await used(), 0);
});

test('C20 the code is told to nobody: not by the admin API, not by a dump', async () => {
  const email = await named();
  for (const path of ['/api/v1/admin/tenants', '/api/v1/admin/tenants/default']) {
    const { body } = await app.get(path, admin());
    assert.doesNotMatch(JSON.stringify(body), new RegExp(`${CODE}|sealed`));
  }
  await signIn(email, 'tablet');
  const { sql } = app.databases.control;
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`;
  for (const { name } of tables) {
    const rows = await sql<{ text: string }[]>`select t::text as text from ${sql(name)} t`;
    assert.ok(!rows.some(({ text }) => text.includes(CODE)), `${name} holds the code`);
  }
});

test('C20 what is read may be written back: the code and its count stay; a new code begins anew', async () => {
  const email = await named({ uses: 2 });
  await signIn(email, 'tablet');
  const { body } = await app.get('/api/v1/admin/tenants/default', admin());
  const [entry] = body.tenant.settings.test_addresses;
  assert.deepEqual(entry, { address: email, last_day: LAST_DAY, uses: 2 });
  assert.equal((await patch([entry])).status, 200);
  assert.equal(await used(), 1);
  assert.equal((await signIn(email, 'phone')).status, 200);
  assert.equal((await signIn(email, 'watch')).status, 401);
  assert.equal((await patch([{ ...entry, code: '204816' }])).status, 200);
  assert.equal(await used(), 0);
});

test('C20 a code that was sealed for one address is not taken for another', async () => {
  const email = await named();
  const stolen = app.app.tenants.bySlug('default')?.settings.test_addresses?.[0];
  const answer = await patch([{ ...stolen, address: 'victim@example.com' }]);
  assert.equal(answer.status, 400);
  assert.equal(answer.body.issues[0].path, '/settings/test_addresses/0/code');
  // Written past the API it opens nothing either.
  const tenant = app.app.tenants.bySlug('default');
  assert.ok(tenant && stolen);
  const settings = { ...tenant.settings, test_addresses: [{ ...stolen, address: 'victim@example.com' }] };
  await app.app.tenants.update(tenant, { settings });
  assert.equal((await signIn('victim@example.com', 'x')).body.error, 'INVALID_CODE');
  assert.ok(email);
});
