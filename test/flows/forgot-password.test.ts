import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';

const PASSWORD = 'violet-Harbour-42';
const NEW_PASSWORD = 'copper-Window-88';
let app: TestApp;
let callers = 0;
const caller = (): { from: string } => ({ from: `198.51.100.${++callers}` });

before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const post = (path: string, body: unknown, token?: string): Promise<Answer> =>
  app.post(`/api/v1/auth/${path}`, body, { ...caller(), token });
const login = (email: string, password: string): Promise<Answer> => post('login', { email, password });

/** A verified account with a password; its answer holds a first session. */
async function account(email: string): Promise<Answer> {
  await post('register', { email, password: PASSWORD, name: 'Fay Wray' });
  return post('verify-code', { email, code: await app.code(email) });
}

/** Proves the address of a forgotten password. */
async function granted(email: string): Promise<Answer> {
  const before = await app.code(email);
  const sent = await post('forgot-password', { email });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const code = await app.code(email, { not: before });
  return post('verify-code', { verification_id: sent.body.verification_id, code });
}

async function inbox(to: string): Promise<{ code: string | null }[]> {
  await new Promise((resolve) => setTimeout(resolve, 60));
  return (await app.get(`/dev/messages?to=${encodeURIComponent(to)}`)).body;
}

test('S21 code, token, new password: every other session ends and the owner is told', async () => {
  const email = 'fay@example.net';
  const first = await account(email);
  const second = await login(email, PASSWORD);
  const opaque = await post('login', { email, password: PASSWORD, style: 'opaque' });
  const tokens = [first, second, opaque].map((answer) => answer.body.access_token as string);

  const answer = await granted(email);
  assert.equal(answer.status, 200);
  assert.equal(answer.body.next_action, 'RESET_PASSWORD');
  assert.equal(answer.body.is_new_user, false);
  assert.equal(answer.body.access_token, undefined);
  assert.equal(answer.body.expires_in, 600);
  assert.equal(answer.body.user.email, email);
  assert.equal(answer.body.tenant.slug, 'default');
  for (const token of tokens) assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);

  const messages = (await inbox(email)).length;
  const reset = await post('reset-password', { new_password: NEW_PASSWORD }, answer.body.reset_token);
  assert.equal(reset.status, 200, JSON.stringify(reset.body));
  assert.equal(reset.body.user.id, first.body.user.id);
  assert.equal(reset.body.user.is_active, true);
  for (const token of tokens) {
    assert.equal((await app.get('/api/v1/auth/session', { token })).body.error, 'SESSION_ENDED');
  }
  const refreshed = await post('refresh', { refresh_token: second.body.refresh_token });
  assert.equal(refreshed.body.error, 'SESSION_ENDED');
  assert.equal((await app.get('/api/v1/auth/session', { token: reset.body.access_token })).status, 200);
  const devices = await app.get('/api/v1/auth/devices', { token: reset.body.access_token });
  assert.equal(devices.body.devices.length, 1);

  assert.equal((await login(email, PASSWORD)).body.error, 'INVALID_CREDENTIALS');
  assert.equal((await login(email, NEW_PASSWORD)).status, 200);
  const told = await inbox(email);
  assert.equal(told.length, messages + 1);
  assert.equal(told[0]?.code || null, null, 'a notice carries no code');
  const { sql } = app.databases.control;
  const events = await sql`select action from audit_events where subject = ${`user:${first.body.user.id}`}
    and action = 'password.changed'`;
  assert.equal(events.length, 1);
});

test('S21 a reset token does nothing else, once, for ten minutes', async () => {
  const email = 'token@example.net';
  const made = await account(email);
  const answer = await granted(email);
  const token = answer.body.reset_token as string;
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 401);
  assert.equal((await app.get('/api/v1/auth/me', { token })).status, 401);
  assert.equal((await post('logout', {}, token)).status, 401);
  assert.equal((await post('refresh', { refresh_token: token })).status, 401);
  for (const other of [
    undefined,
    made.body.access_token,
    made.body.refresh_token,
    `${token.slice(0, -2)}AA`,
  ]) {
    const refused = await post('reset-password', { new_password: NEW_PASSWORD }, other);
    assert.equal(refused.status, 401);
    assert.equal(refused.body.error, 'TOKEN_INVALID');
  }
  const elsewhere = await app.post(
    '/api/v1/auth/reset-password',
    { new_password: NEW_PASSWORD },
    { token, headers: { 'x-tenant': 'us' } },
  );
  assert.equal(elsewhere.status, 401);

  // The new password is judged before anything is spent.
  for (const weak of ['short', 'password1', 'token@example.net', 'fay-wray']) {
    const refused = await post('reset-password', { new_password: weak }, token);
    assert.equal(refused.status, 400, weak);
    assert.equal(refused.body.error, 'WEAK_PASSWORD', weak);
    assert.equal(refused.body.issues[0].path, '/new_password');
  }
  assert.equal((await login(email, PASSWORD)).status, 200);
  assert.equal((await post('reset-password', { new_password: NEW_PASSWORD }, token)).status, 200);
  const again = await post('reset-password', { new_password: 'bronze-Kettle-99' }, token);
  assert.equal(again.body.error, 'TOKEN_INVALID');
  assert.equal((await login(email, NEW_PASSWORD)).status, 200);

  const late = await granted(email);
  app.clock.advance(601);
  const expired = await post('reset-password', { new_password: PASSWORD }, late.body.reset_token);
  assert.equal(expired.status, 401);
  assert.equal(expired.body.error, 'TOKEN_EXPIRED');
});

test('S21 a new password ends every live code and every other unspent proof of the account', async () => {
  const email = 'codes@example.net';
  await account(email);
  const earlier = await granted(email);
  app.clock.advance(61);
  const proved = await granted(email);
  app.clock.advance(61);
  const before = await app.code(email);
  const sent = await post('send-verification', { email });
  const code = await app.code(email, { not: before });
  assert.equal(
    (await post('reset-password', { new_password: NEW_PASSWORD }, proved.body.reset_token)).status,
    200,
  );
  const stale = await post('verify-code', { verification_id: sent.body.verification_id, code });
  assert.equal(stale.body.error, 'VERIFICATION_NOT_FOUND');
  const spent = await post('reset-password', { new_password: PASSWORD }, earlier.body.reset_token);
  assert.equal(spent.body.error, 'TOKEN_INVALID');
});

test('S21 a code of one purpose never serves another', async () => {
  const email = 'purpose@example.net';
  await account(email);
  const before = await app.code(email);
  const recover = await post('forgot-password', { email });
  const recoverCode = await app.code(email, { not: before });
  app.clock.advance(61);
  const signIn = await post('send-verification', { email });
  const signInCode = await app.code(email, { not: recoverCode });
  const crossed = [
    { verification_id: signIn.body.verification_id, code: recoverCode },
    { verification_id: recover.body.verification_id, code: signInCode },
  ];
  for (const body of crossed) assert.equal((await post('verify-code', body)).body.error, 'INVALID_CODE');
  const reset = await post('verify-code', {
    verification_id: recover.body.verification_id,
    code: recoverCode,
  });
  assert.equal(reset.body.next_action, 'RESET_PASSWORD');
});

test('S21 wrong codes count as they do for a sign-in: five, then the code is dead', async () => {
  const email = 'guess@example.net';
  await account(email);
  const before = await app.code(email);
  const sent = await post('forgot-password', { email });
  const code = await app.code(email, { not: before });
  const wrong = code === '000000' ? '000001' : '000000';
  for (const left of [4, 3, 2, 1, 0]) {
    const answer = await post('verify-code', { verification_id: sent.body.verification_id, code: wrong });
    assert.equal(answer.body.attempts_left, left);
  }
  const dead = await post('verify-code', { verification_id: sent.body.verification_id, code });
  assert.equal(dead.status, 429);
  assert.equal(dead.body.error, 'TOO_MANY_ATTEMPTS');
});

test('people who only ever used codes get their first password this way; nobody and the closed none', async () => {
  const email = 'first@example.net';
  await app.signIn({ email }, {}, caller());
  const answer = await granted(email);
  assert.equal(
    (await post('reset-password', { new_password: NEW_PASSWORD }, answer.body.reset_token)).status,
    200,
  );
  assert.equal((await login(email, NEW_PASSWORD)).status, 200);

  const nobody = await post('forgot-password', { email: 'nobody@example.net' });
  assert.equal(nobody.status, 404);
  assert.equal(nobody.body.error, 'ACCOUNT_NOT_FOUND');
  assert.deepEqual(await inbox('nobody@example.net'), []);

  app.clock.advance(61);
  const open = await granted(email);
  await app.databases.control.sql`update users set is_disabled = true where id = ${answer.body.user.id}`;
  const closed = await post('reset-password', { new_password: PASSWORD }, open.body.reset_token);
  assert.equal(closed.body.error, 'ACCOUNT_DISABLED');
  assert.equal((await post('forgot-password', { email })).body.error, 'ACCOUNT_DISABLED');
});
