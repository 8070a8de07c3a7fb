import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';

const PASSWORD = 'violet-Harbour-42';
let app: TestApp;
let callers = 0;
const caller = (): { from: string } => ({ from: `198.51.100.${++callers}` });

before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const post = (call: string, body: unknown, token?: string): Promise<Answer> =>
  app.post(`/api/auth/${call}`, body, { ...caller(), token });

test('a new user: register, verify-otp, login, me, logout', async () => {
  const email = 'user@example.net';
  const registered = await post('register', {
    email,
    password: PASSWORD,
    profile: { first_name: 'Una', last_name: 'User' },
    custom_fields: { parish: 'St Mary' },
  });
  assert.equal(registered.status, 202);
  assert.equal(registered.body.success, true);
  assert.equal(
    registered.body.message,
    'Verification code sent to your email. Please verify to complete registration.',
  );
  assert.equal(registered.body.data.email, email);
  const { sql } = app.databases.control;
  assert.equal((await sql`select 1 from pending_registrations where value = ${email}`).length, 1);
  assert.equal((await sql`select 1 from users`).length, 0);

  const verified = await post('verify-otp', { email, otp: await app.code(email) });
  assert.equal(verified.status, 201);
  assert.equal(verified.body.success, true);
  assert.equal(verified.body.message, 'Registration completed successfully!');
  const { token, tenant, user } = verified.body.data;
  assert.equal(tenant.slug, 'default');
  assert.equal(user.email, email);
  assert.equal(user.role, 'user');
  assert.equal(user.first_name, 'Una');
  assert.deepEqual(user.custom_fields, { parish: 'St Mary' });
  assert.equal(typeof verified.body.data.refresh_token, 'string');
  assert.equal((await sql`select 1 from pending_registrations`).length, 0);

  const me = await app.get('/api/auth/me', { token });
  assert.equal(me.status, 200);
  assert.equal(me.body.data.user.id, user.id);
  const changed = await app.request('PATCH', '/api/auth/me', { last_name: 'Usher' }, { token });
  assert.equal(changed.body.data.user.last_name, 'Usher');

  const entered = await post('login', { email, password: PASSWORD });
  assert.equal(entered.status, 200);
  assert.equal(entered.body.success, true);
  assert.equal(entered.body.data.user.id, user.id);
  assert.equal((await app.get('/api/auth/me', { token: entered.body.data.token })).status, 200);
  assert.equal((await post('logout', undefined, entered.body.data.token)).body.success, true);
  const last = await post('logout', {}, token);
  assert.deepEqual(last.body, {
    success: true,
    message: 'Logged out successfully. User is now inactive.',
    data: {},
  });
  assert.equal((await app.get('/api/auth/me', { token })).status, 401);
});

test('an existing user: forgot-password, verify-otp 200 with a token, reset-password', async () => {
  const email = 'forgot@example.net';
  await post('register', { email, password: PASSWORD });
  await post('verify-otp', { email, otp: await app.code(email) });
  const code = await app.code(email);
  const sent = await post('forgot-password', { email });
  assert.equal(sent.status, 200);
  assert.equal(sent.body.data.email, email);

  const verified = await post('verify-otp', { email, otp: await app.code(email, { not: code }) });
  assert.equal(verified.status, 200);
  assert.equal(verified.body.message, 'OTP verified successfully!');
  assert.equal(verified.body.data.user.email, email);
  assert.equal(verified.body.data.tenant.slug, 'default');
  assert.equal(verified.body.data.next_action, 'RESET_PASSWORD');
  const { token } = verified.body.data;
  assert.equal((await app.get('/api/auth/me', { token })).status, 401, 'good for a new password only');
  const cleared = await app.databases.control.sql`
    select 1 from verifications where value = ${email} and consumed_at is null`;
  assert.equal(cleared.length, 0);

  const reset = await post('reset-password', { new_password: 'copper-Window-88' }, token);
  assert.equal(reset.status, 200);
  assert.equal((await app.get('/api/auth/me', { token: reset.body.data.token })).status, 200);
  assert.equal((await post('login', { email, password: PASSWORD })).status, 401);
  assert.equal((await post('login', { email, password: 'copper-Window-88' })).status, 200);
});

test('registering twice changes what waits', async () => {
  const email = 'twice@example.net';
  await post('register', { email, password: PASSWORD, first_name: 'One' });
  const second = await post('register', { email, password: PASSWORD, first_name: 'Two' });
  assert.equal(second.status, 202);
  const verified = await post('verify-otp', { email, otp: await app.code(email) });
  assert.equal(verified.status, 201);
  assert.equal(verified.body.data.user.first_name, 'Two');
  assert.equal(verified.body.data.next_action, undefined);
});

test('every failure has the error body, and its own word', async () => {
  const email = 'errors@example.net';
  await post('register', { email, password: PASSWORD });
  const otp = await app.code(email);
  const wrong = otp === '000000' ? '000001' : '000000';
  const cases: [Promise<Answer>, number, string][] = [
    [post('verify-otp', { email, otp: wrong }), 401, 'INVALID_CODE'],
    [post('verify-otp', { email: 'non-existent@example.net', otp }), 404, 'VERIFICATION_NOT_FOUND'],
    [post('verify-otp', { email }), 400, 'INVALID_REQUEST'],
    [post('forgot-password', { email: 'non-existent@example.net' }), 404, 'ACCOUNT_NOT_FOUND'],
    [post('login', { email: 'non-existent@example.net', password: PASSWORD }), 404, 'ACCOUNT_NOT_FOUND'],
    [post('login', { email, password: PASSWORD }), 401, 'ACCOUNT_NOT_VERIFIED'],
    [post('register', { email, password: 'password' }), 400, 'WEAK_PASSWORD'],
    [post('resend-otp', { email }), 429, 'RESEND_TOO_SOON'],
    [post('reset-password', { new_password: PASSWORD }), 401, 'TOKEN_INVALID'],
    [app.get('/api/auth/me'), 401, 'TOKEN_INVALID'],
  ];
  for (const [answer, status, error] of cases) {
    const { status: given, body } = await answer;
    assert.equal(given, status, error);
    assert.equal(body.success, false);
    assert.equal(body.statusCode, status);
    assert.equal(body.error, error);
    assert.equal(typeof body.message, 'string');
  }
  app.clock.advance(61);
  const resent = await post('resend-otp', { email });
  assert.equal(resent.status, 200);
  assert.equal(resent.body.data.email, email);
  app.clock.advance(301);
  const expired = await post('verify-otp', { email, otp });
  assert.equal(expired.status, 410);
  assert.equal(expired.body.error, 'CODE_EXPIRED');
});
