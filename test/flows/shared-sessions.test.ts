import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp({
    tenants: { us: { sessions: { sharing: 'per_user', lifetime_seconds: 86_400, idle_seconds: 7200 } } },
  });
});
after(() => app.close());

const alive = async (token: string) => (await app.get('/api/v1/auth/session', { token })).status === 200;
const again = async (phone: string, more: Record<string, unknown> = {}) => {
  app.clock.advance(61);
  return (await app.signIn({ phone }, more)).body;
};

/** What is stored of an account's sessions. */
const stored = async (userId: string) => {
  const { sql } = app.databases.of('us');
  const [row] = await sql`
    select u.live_sessions, u.is_active,
      (select count(*)::int from sessions s where s.user_id = u.id) as sessions,
      (select count(*)::int from sessions s where s.user_id = u.id and s.revoked_at is null) as live,
      (select count(*)::int from devices d where d.user_id = u.id) as devices
    from users u where u.id = ${userId}`;
  return { ...row };
};

test('with per_user every device of a person gets the one token, and each is listed', async () => {
  const phone = '+14155551001';
  const first = (await app.signIn({ phone }, { device: { name: 'Phone', kind: 'app' } })).body;
  assert.match(first.access_token, /^fps_/, 'opaque without being asked for');
  assert.equal(first.session_token, first.access_token);
  const second = await again(phone, { device: { name: 'Tablet', kind: 'app' } });
  assert.equal(second.is_new_user, false);
  assert.equal(second.access_token, first.access_token);
  assert.equal(second.session.id, first.session.id);
  assert.equal(second.session.expires_at, first.session.expires_at, 'joining never makes a session older');
  assert.equal(second.expires_in, first.expires_in - 61);
  assert.notEqual(second.session.device_id, first.session.device_id);
  assert.deepEqual(await stored(first.user.id), {
    live_sessions: 1,
    is_active: true,
    sessions: 1,
    live: 1,
    devices: 2,
  });
  const { devices } = (await app.get('/api/v1/auth/devices', { token: first.access_token })).body;
  assert.deepEqual(devices.map((device: { name: string }) => device.name).sort(), ['Phone', 'Tablet']);
  const [events] = await app.databases.of('us').sql`
    select count(*)::int as count from audit_events where action = 'user.signed_in'
      and actor = ${`user:${first.user.id}`}`;
  assert.equal(events?.['count'], 2, 'each sign-in is told of once');
});

test('signing out anywhere ends the shared token everywhere, and the next sign-in gets another', async () => {
  const phone = '+14155551002';
  const first = (await app.signIn({ phone })).body;
  const second = await again(phone);
  assert.equal(second.access_token, first.access_token);
  const out = await app.post('/api/v1/auth/logout', undefined, { token: second.access_token });
  assert.equal(out.body.message, 'Logged out successfully. User is now inactive.');
  assert.equal(await alive(first.access_token), false);
  assert.deepEqual(await stored(first.user.id), {
    live_sessions: 0,
    is_active: false,
    sessions: 1,
    live: 0,
    devices: 2,
  });
  const third = await again(phone);
  assert.notEqual(third.access_token, first.access_token);
  assert.equal(await alive(third.access_token), true);
  assert.equal(await alive(first.access_token), false);
});

test('ending one device that shares the token ends it for all of them', async () => {
  const phone = '+14155551003';
  const first = (await app.signIn({ phone })).body;
  const second = await again(phone);
  const path = `/api/v1/auth/devices/${second.session.device_id}`;
  const ended = await app.request('DELETE', path, undefined, { token: first.access_token });
  assert.equal(ended.status, 200, JSON.stringify(ended.body));
  assert.equal(await alive(first.access_token), false);
  assert.equal((await stored(first.user.id))['live_sessions'], 0);
});

test('a shared session past its life or unused for too long is not joined', async () => {
  const phone = '+14155551004';
  const first = (await app.signIn({ phone })).body;
  app.clock.advance(7201);
  const idle = (await app.signIn({ phone })).body;
  assert.notEqual(idle.access_token, first.access_token, 'unused for longer than two hours');
  for (let hours = 0; hours < 24; hours += 1.5) {
    app.clock.advance(5400);
    if (hours < 22) assert.equal((await app.signIn({ phone })).body.access_token, idle.access_token);
  }
  const later = (await app.signIn({ phone })).body;
  assert.notEqual(later.access_token, idle.access_token, 'a day old, however much it was used');
  assert.equal((await stored(first.user.id))['live_sessions'], 1);
  const { sql } = app.databases.of('us');
  const [events] = await sql`
    select count(*)::int as count from audit_events e where action = 'session.ended'
      and exists (select from sessions s where 'session:' || s.id = e.subject and s.user_id = ${first.user.id})`;
  assert.equal(events?.['count'], 2, 'each end is told of once');
});

test("C2 a jwt session stays the device's own, and so does every session of an administrator", async () => {
  const phone = '+14155551005';
  const shared = (await app.signIn({ phone })).body;
  const own = await again(phone, { style: 'jwt' });
  assert.notEqual(own.session.id, shared.session.id);
  assert.ok(own.refresh_token);
  assert.equal((await stored(shared.user.id))['live_sessions'], 2);

  const other = '+14155551006';
  const made = (await app.signIn({ phone: other })).body;
  await app.post('/api/v1/auth/logout', undefined, { token: made.access_token });
  await app.databases.of('us').sql`update users set role = 'admin' where id = ${made.user.id}`;
  const one = await again(other);
  const two = await again(other);
  assert.notEqual(one.access_token, two.access_token);
  await app.post('/api/v1/auth/logout', undefined, { token: one.access_token });
  assert.equal(await alive(two.access_token), true);
});

test('where sessions are per device nobody shares a token, opaque or not', async () => {
  const phone = '+998901111001';
  const first = (await app.signIn({ phone }, { style: 'opaque' })).body;
  app.clock.advance(61);
  const second = (await app.signIn({ phone }, { style: 'opaque' })).body;
  assert.notEqual(second.access_token, first.access_token);
  await app.post('/api/v1/auth/logout', undefined, { token: second.access_token });
  assert.equal(await alive(first.access_token), true);
});

test('a tenant that asks for jwt and for sharing is told why that cannot be', async () => {
  const answer = await app.request(
    'PATCH',
    '/api/v1/admin/tenants/uz',
    { settings: { sessions: { style: 'jwt', sharing: 'per_user' } } },
    { headers: { 'x-api-key': app.apiKey } },
  );
  assert.equal(answer.status, 400);
  assert.equal(answer.body.issues[0].path, '/settings/sessions/sharing');
});

test('a new password ends the shared session, and those who sign in later share the one it opened', async () => {
  const email = 'shared-password@example.com';
  const tenant = 'us';
  const password = 'correct horse staple 9';
  const registered = await app.post('/api/v1/auth/register', { email, password, tenant });
  const proof = { verification_id: registered.body.verification_id, code: await app.code(email) };
  const first = (await app.post('/api/v1/auth/verify-code', proof)).body;
  const byPassword = (await app.post('/api/v1/auth/login', { email, password, tenant })).body;
  assert.equal(byPassword.access_token, first.access_token, 'a password joins as well');
  app.clock.advance(61);
  const before = await app.newestMessage(email);
  await app.post('/api/v1/auth/forgot-password', { email, tenant });
  const code = await app.code(email, { after: before });
  const granted = (await app.post('/api/v1/auth/verify-code', { email, code, tenant })).body;
  const reset = await app.post(
    '/api/v1/auth/reset-password',
    { new_password: 'another staple horse 7' },
    { token: granted.reset_token },
  );
  assert.equal(reset.status, 200, JSON.stringify(reset.body));
  assert.equal(await alive(first.access_token), false);
  const later = await app.post('/api/v1/auth/login', { email, password: 'another staple horse 7', tenant });
  assert.equal(later.body.access_token, reset.body.access_token);
  assert.equal((await stored(first.user.id))['live_sessions'], 1);
});
