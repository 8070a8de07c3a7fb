import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt } from 'jose';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp({ tenants: { uz: { default_country: 'UZ', sessions: { idle_seconds: 3600 } } } });
});
after(() => app.close());

const REFRESH = '/api/v1/auth/refresh';
let person = 0;
const signIn = (more: Record<string, unknown> = {}): Promise<Answer> =>
  app.signIn({ email: `session${person++}@example.com` }, more);
const statusOf = async (token: string) => (await app.get('/api/v1/auth/session', { token })).status;
const userIsActive = async (id: string) =>
  (await app.databases.control.sql`select is_active from users where id = ${id}`)[0]?.['is_active'];

test('an access token ends after 15 minutes and its refresh token makes the next pair', async () => {
  const { body } = await signIn();
  assert.equal(body.token_type, 'Bearer');
  assert.equal(body.expires_in, 900);
  app.clock.advance(899);
  assert.equal(await statusOf(body.access_token), 200);
  app.clock.advance(1);
  const expired = await app.get('/api/v1/auth/session', { token: body.access_token });
  assert.equal(expired.status, 401);
  assert.equal(expired.body.error, 'TOKEN_EXPIRED');
  assert.equal(expired.headers.get('www-authenticate'), 'Bearer');

  const next = await app.post(REFRESH, { refresh_token: body.refresh_token });
  assert.equal(next.status, 200);
  assert.notEqual(next.body.access_token, body.access_token);
  assert.notEqual(next.body.refresh_token, body.refresh_token);
  assert.equal(await statusOf(next.body.access_token), 200);
  assert.equal(decodeJwt(next.body.access_token)['sid'], body.session.id);
});

test('a refresh repeated within ten seconds gets the same successor; later it ends the session', async () => {
  const { body } = await signIn();
  const first = await app.post(REFRESH, { refresh_token: body.refresh_token });
  app.clock.advance(9);
  const lost = await app.post(REFRESH, { refresh_token: body.refresh_token });
  assert.equal(lost.status, 200);
  assert.equal(lost.body.refresh_token, first.body.refresh_token);
  app.clock.advance(2);
  const stolen = await app.post(REFRESH, { refresh_token: body.refresh_token });
  assert.equal(stolen.status, 401);
  assert.equal(stolen.body.error, 'SESSION_ENDED');
  assert.equal(await statusOf(first.body.access_token), 401);
  const successor = await app.post(REFRESH, { refresh_token: first.body.refresh_token });
  assert.equal(successor.body.error, 'SESSION_ENDED');
  assert.equal(await userIsActive(body.user.id), false);
  const rows = await app.databases.control.sql`
    select id from audit_events where action = 'session.refresh_reused'
      and subject = ${`session:${body.session.id}`}`;
  assert.equal(rows.length, 1);
});

test('a token two steps behind ends the session even within ten seconds', async () => {
  const { body } = await signIn();
  const second = await app.post(REFRESH, { refresh_token: body.refresh_token });
  const third = await app.post(REFRESH, { refresh_token: second.body.refresh_token });
  assert.equal(third.status, 200);
  const old = await app.post(REFRESH, { refresh_token: body.refresh_token });
  assert.equal(old.body.error, 'SESSION_ENDED');
  assert.equal(await statusOf(third.body.access_token), 401);
});

test('a session has an absolute end that no refresh extends', async () => {
  const { body } = await signIn();
  const end = new Date(body.session.expires_at).getTime();
  assert.equal(end - app.clock.now().getTime(), 2_592_000_000);
  let token = body.refresh_token;
  for (let day = 0; day < 29; day++) {
    app.clock.advance(86_400);
    const next = await app.post(REFRESH, { refresh_token: token });
    assert.equal(next.status, 200);
    token = next.body.refresh_token;
  }
  app.clock.advance(86_399);
  const last = await app.post(REFRESH, { refresh_token: token });
  assert.equal(last.status, 200);
  assert.equal(last.body.expires_in, 1, 'an access token never outlives its session');
  assert.equal(await statusOf(last.body.access_token), 200);
  app.clock.advance(1);
  assert.equal(await statusOf(last.body.access_token), 401);
  const over = await app.post(REFRESH, { refresh_token: last.body.refresh_token });
  assert.equal(over.body.error, 'SESSION_ENDED');
  await app.app.worker.sweep();
  assert.equal(await userIsActive(body.user.id), false);
});

test('an opaque session ends at its absolute end', async () => {
  const { body } = await signIn({ style: 'opaque' });
  app.clock.advance(2_592_000 - 1);
  assert.equal(await statusOf(body.session_token), 200);
  app.clock.advance(1);
  const over = await app.get('/api/v1/auth/session', { token: body.session_token });
  assert.equal(over.body.error, 'SESSION_ENDED');
});

test('a session that is not used for longer than its tenant allows cannot be refreshed', async () => {
  const phone = '+998901110011';
  const { body } = await app.signIn({ phone });
  app.clock.advance(3599);
  const used = await app.post(REFRESH, { refresh_token: body.refresh_token });
  assert.equal(used.status, 200);
  app.clock.advance(3601);
  const idle = await app.post(REFRESH, { refresh_token: used.body.refresh_token });
  assert.equal(idle.body.error, 'SESSION_ENDED');
});

test('an opaque session ends when it is not used for longer than its tenant allows', async () => {
  const { body } = await app.signIn({ phone: '+998901110012' }, { style: 'opaque' });
  for (let hour = 0; hour < 3; hour++) {
    app.clock.advance(3500);
    assert.equal(await statusOf(body.session_token), 200);
  }
  app.clock.advance(3601);
  const idle = await app.get('/api/v1/auth/session', { token: body.session_token });
  assert.equal(idle.status, 401);
  assert.equal(idle.body.error, 'SESSION_ENDED');
});

test('logout ends this session, the others, or all of them', async () => {
  const email = 'scopes@example.com';
  const [first, second, third] = [
    await app.signIn({ email }),
    await app.signIn({ email }, { style: 'opaque' }),
    await app.signIn({ email }),
  ].map((answer) => answer.body);
  const { id } = first.user;
  const statuses = async () => [
    await statusOf(first.access_token),
    await statusOf(second.access_token),
    await statusOf(third.access_token),
  ];
  const logout = (token: string, body?: unknown) => app.post('/api/v1/auth/logout', body, { token });

  const one = await logout(second.access_token, { scope: 'this' });
  assert.deepEqual(one.body, { success: true, message: 'Logged out successfully.' });
  assert.deepEqual(await statuses(), [200, 401, 200]);
  assert.equal(await userIsActive(id), true);

  const fourth = (await app.signIn({ email })).body;
  const others = await logout(first.access_token, { scope: 'others' });
  assert.equal(others.body.message, '2 other sessions were ended.');
  assert.deepEqual(await statuses(), [200, 401, 401]);
  assert.equal(await statusOf(fourth.access_token), 401);
  assert.equal((await logout(first.access_token, { scope: 'others' })).status, 200);

  const fifth = (await app.signIn({ email })).body;
  const all = await logout(fifth.access_token, { scope: 'all' });
  assert.equal(all.body.message, 'Logged out successfully. User is now inactive.');
  assert.deepEqual(await statuses(), [401, 401, 401]);
  assert.equal(await statusOf(fifth.access_token), 401);
  assert.equal(await userIsActive(id), false);
  const rows = await app.databases.control.sql`
    select count(*)::int as count from audit_events
    where action = 'session.ended' and actor = ${`user:${id}`}`;
  assert.equal(rows[0]?.['count'], 5);
});

test('check answers a proxy with 204 and headers, from a bearer token or the cookie', async () => {
  const { body } = await signIn({ style: 'opaque' });
  const CHECK = '/api/v1/auth/check';
  const cookie = { cookie: `theme=dark; __Host-firstproof=${body.session_token}` };
  for (const options of [{ token: body.session_token as string }, { headers: cookie }]) {
    const answer = await app.get(CHECK, options);
    assert.equal(answer.status, 204);
    assert.equal(answer.body, undefined);
    assert.equal(answer.headers.get('x-auth-user-id'), body.user.id);
    assert.equal(answer.headers.get('x-auth-tenant'), 'default');
    assert.equal(answer.headers.get('x-auth-session-id'), body.session.id);
    assert.equal(answer.headers.get('x-auth-role'), 'user');
  }
  for (const headers of [
    { cookie: '__Host-firstproof=nonsense' },
    { cookie: `firstproof=${body.session_token}` },
    { authorization: 'Basic abc' },
    {},
  ]) {
    const refused = await app.get(CHECK, { headers });
    assert.equal(refused.status, 401);
    assert.equal(refused.headers.get('x-auth-user-id'), null);
  }
  assert.equal(
    (await app.get('/api/v1/auth/me', { headers: cookie })).status,
    401,
    'the cookie is for check',
  );
  await app.post('/api/v1/auth/logout', {}, { token: body.session_token });
  assert.equal((await app.get(CHECK, { headers: cookie })).status, 401);
});
