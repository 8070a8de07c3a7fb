import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp({ tenants: { uz: { registration: 'closed', default_country: 'UZ' } } });
});
after(() => app.close());

const SEND = '/api/v1/auth/send-verification';

test('a code by e-mail: subject, text and HTML carry it, and the proof makes an account', async () => {
  const email = 'Ada.Lovelace@Example.com';
  const sent = await app.post(SEND, { email });
  assert.equal(sent.status, 200);
  assert.equal(sent.body.channel, 'email');
  assert.equal(sent.body.destination, 'a•••@example.com');
  const code = await app.code('Ada.Lovelace@example.com');
  const [message] = (await app.get('/dev/messages?to=Ada.Lovelace@example.com')).body;
  assert.equal(message.channel, 'email');
  assert.equal(message.to, 'Ada.Lovelace@example.com');
  assert.match(message.subject, /\S/);
  assert.ok(message.text.includes(code));
  assert.ok(message.html.includes(code));
  assert.ok(!JSON.stringify(sent.body).includes(code), 'no answer ever holds a code');
  const answer = await app.post('/api/v1/auth/verify-code', { email: 'ADA.lovelace@example.com', otp: code });
  assert.equal(answer.status, 201);
  assert.equal(answer.body.user.email, 'ada.lovelace@example.com');
  assert.equal(answer.body.user.phone, null);
  assert.equal(answer.body.tenant.slug, 'default');
});

test('a channel that does not reach the address is refused by name', async () => {
  for (const body of [
    { email: 'a@example.com', channel: 'sms' },
    { phone: '+14155550401', channel: 'email' },
    { telegram_user_id: 42, channel: 'sms' },
  ]) {
    const answer = await app.post(SEND, body);
    assert.equal(answer.status, 400);
    assert.equal(answer.body.issues[0].path, '/channel');
  }
});

test('the message speaks the language asked for, else that of the browser', async () => {
  await app.post(SEND, { email: 'plain@example.com' });
  await app.post(SEND, { email: 'asked@example.com', locale: 'ru-RU' });
  await app.post(SEND, { email: 'browser@example.com' }, { headers: { 'accept-language': 'ru;q=0.9, xx' } });
  const text = async (to: string) => {
    await app.code(to);
    return (await app.get(`/dev/messages?to=${to}`)).body[0].text as string;
  };
  assert.doesNotMatch(await text('plain@example.com'), /[а-я]/i);
  assert.match(await text('asked@example.com'), /[а-я]/i);
  assert.match(await text('browser@example.com'), /[а-я]/i);
});

test('opaque style from end to end: one token, no refresh, gone with the logout', async () => {
  const signedIn = await app.signIn({ email: 'opaque@example.com' }, { style: 'opaque' });
  assert.equal(signedIn.status, 201);
  const token = signedIn.body.session_token as string;
  assert.match(token, /^fps_/);
  assert.equal(signedIn.body.access_token, token);
  assert.equal(signedIn.body.refresh_token, undefined);
  assert.equal(signedIn.body.expires_in, 2_592_000);
  const session = await app.get('/api/v1/auth/session', { token });
  assert.equal(session.status, 200);
  assert.equal(session.body.session_id, signedIn.body.session.id);
  app.clock.advance(86_400 * 3);
  assert.equal((await app.get('/api/v1/auth/me', { token })).status, 200);
  const refresh = await app.post('/api/v1/auth/refresh', { refresh_token: token });
  assert.equal(refresh.body.error, 'TOKEN_INVALID');
  assert.equal((await app.post('/api/v1/auth/logout', {}, { token })).status, 200);
  assert.equal((await app.get('/api/v1/auth/session', { token })).body.error, 'SESSION_ENDED');
});

test('names are taken at the first proof and updated at a later one', async () => {
  const email = 'names@example.com';
  const first = await app.signIn({ email }, { first_name: 'Grace', username: 'grace' });
  assert.equal(first.body.user.first_name, 'Grace');
  assert.equal(first.body.user.last_name, null);
  const second = await app.signIn({ email }, { last_name: 'Hopper' });
  assert.equal(second.body.user.first_name, 'Grace');
  assert.equal(second.body.user.last_name, 'Hopper');
  assert.equal(second.body.user.username, 'grace');
  const other = await app.signIn({ email: 'other@example.com' }, { username: 'GRACE' });
  assert.equal(other.status, 201, 'a taken username never costs the sign-in');
  assert.equal(other.body.user.username, null);
});

test('a tenant that is closed to newcomers lets nobody in but those it knows', async () => {
  const answer = await app.signIn({ phone: '+998901112255' });
  assert.equal(answer.status, 404);
  assert.equal(answer.body.error, 'ACCOUNT_NOT_FOUND');
  const users = await app.databases.of('uz').sql`select id from users`;
  assert.equal(users.length, 0);
});

test('a disabled account is told so after the proof and gets no session', async () => {
  const email = 'closed@example.com';
  const first = await app.signIn({ email });
  const { sql } = app.databases.control;
  await sql`update users set is_disabled = true where id = ${first.body.user.id}`;
  const again = await app.signIn({ email });
  assert.equal(again.status, 403);
  assert.equal(again.body.error, 'ACCOUNT_DISABLED');
  const [row] = await sql`select count(*)::int as count from sessions where user_id = ${first.body.user.id}`;
  assert.equal(row?.['count'], 1);
});

test('a national number is read by the country of the named tenant', async () => {
  const answer = await app.post(SEND, { phone: '(415) 555-0409', tenant: 'us' });
  assert.equal(answer.status, 200);
  const rows = await app.databases.of('us').sql`select value from verifications`;
  assert.deepEqual(
    rows.map((row) => row['value']),
    ['+14155550409'],
  );
  const nameless = await app.post(SEND, { phone: '(415) 555-0409' });
  assert.equal(nameless.status, 400);
  assert.equal(nameless.body.issues[0].path, '/phone');
});
