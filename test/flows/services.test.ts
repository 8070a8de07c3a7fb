import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const INTROSPECT = '/api/v1/introspect';
const REVOKE = '/api/v1/revoke';
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const keyFor = async (scopes: ('introspect' | 'revoke' | 'service' | 'admin')[], slug?: string) => {
  const tenantId = slug === undefined ? null : (app.app.tenants.bySlug(slug)?.id ?? null);
  return (await app.app.apiKeys.create({ tenantId, name: 'test', scopes })).text;
};
const withKey = (key: string) => ({ headers: { 'x-api-key': key } });

test('S43 introspection tells of a live token, by JSON and by form, with the key in each of its three places', async () => {
  const { body } = await app.signIn({ phone: '+14155550601' });
  const key = await keyFor(['introspect']);
  const token = body.access_token as string;
  const basic = `Basic ${Buffer.from(`service:${key}`).toString('base64')}`;
  for (const [payload, headers] of [
    [{ token }, { 'x-api-key': key }],
    [{ token, token_type_hint: 'access_token' }, { authorization: `Bearer ${key}` }],
    [{ token }, { authorization: basic }],
    [new URLSearchParams({ token }).toString(), { ...form, 'x-api-key': key }],
    [
      new URLSearchParams({ token, token_type_hint: 'nonsense' }).toString(),
      { ...form, authorization: basic },
    ],
  ] as const) {
    const answer = await app.post(INTROSPECT, payload, { headers: { ...headers } });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, {
      active: true,
      sub: body.user.id,
      iss: 'https://auth.test/t/us',
      aud: 'us',
      client_id: 'us',
      token_type: 'Bearer',
      iat: app.clock.now().getTime() / 1000,
      exp: app.clock.now().getTime() / 1000 + 900,
      sid: body.session.id,
      tid: body.tenant.id,
      role: 'user',
      market: 'us',
      amr: ['otp'],
    });
  }
  const opaque = await app.signIn({ email: 'opaque@example.com' }, { style: 'opaque' });
  const told = await app.post(INTROSPECT, { token: opaque.body.session_token }, withKey(key));
  assert.equal(told.body.active, true);
  assert.equal(told.body.sub, opaque.body.user.id);
});

test('S43 a token that is not alive is active: false and nothing else', async () => {
  const { body } = await app.signIn({ email: 'inactive@example.com' });
  const ended = await app.signIn({ email: 'ended@example.com' });
  await app.post('/api/v1/auth/logout', {}, { token: ended.body.access_token });
  const key = await keyFor(['introspect']);
  const old = body.access_token as string;
  app.clock.advance(901);
  for (const token of [
    'x',
    'a.b.c',
    old,
    `${old}x`,
    ended.body.access_token,
    body.refresh_token,
    key,
    `fps_${'A'.repeat(80)}`,
  ]) {
    const answer = await app.post(INTROSPECT, { token }, withKey(key));
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, { active: false });
  }
});

test('S43 without a key, with a wrong one, a revoked one or one that lacks the scope nothing is told', async () => {
  const { body } = await app.signIn({ email: 'keys@example.com' });
  const token = body.access_token as string;
  const revoked = await app.app.apiKeys.create({ tenantId: null, name: 'revoked', scopes: ['introspect'] });
  await app.app.apiKeys.revoke(revoked.id);
  for (const path of [INTROSPECT, REVOKE]) {
    for (const headers of [
      {},
      { 'x-api-key': `fp_sk_${'A'.repeat(43)}` },
      { 'x-api-key': '' },
      { 'x-api-key': 'x'.repeat(4000) },
      { 'x-api-key': revoked.text },
      { authorization: `Bearer ${token}` },
      { authorization: 'Basic !!!' },
      { authorization: `Basic ${Buffer.from('nocolon').toString('base64')}` },
    ]) {
      const answer = await app.post(path, { token }, { headers: { ...headers } });
      assert.equal(answer.status, 401, JSON.stringify(headers));
      assert.equal(answer.body.error, 'API_KEY_INVALID');
    }
  }
  const other = await app.post(INTROSPECT, { token }, withKey(await keyFor(['revoke', 'service'])));
  assert.equal(other.status, 403);
  assert.equal(other.body.error, 'SCOPE_REQUIRED');
  const revoke = await app.post(REVOKE, { token }, withKey(await keyFor(['introspect'])));
  assert.equal(revoke.status, 403);
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
});

test('S43 a key bound to one tenant learns nothing of another and ends nothing there', async () => {
  const { body } = await app.signIn({ phone: '+14155550602' });
  const token = body.access_token as string;
  const foreign = await keyFor(['introspect', 'revoke', 'admin'], 'uz');
  const own = await keyFor(['introspect', 'revoke'], 'us');
  assert.deepEqual((await app.post(INTROSPECT, { token }, withKey(foreign))).body, { active: false });
  assert.equal((await app.post(INTROSPECT, { token }, withKey(own))).body.active, true);
  for (const secret of [token, body.refresh_token]) {
    const answer = await app.post(REVOKE, { token: secret }, withKey(foreign));
    assert.equal(answer.status, 200);
  }
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
  await app.post(REVOKE, { token }, withKey(own));
  assert.equal((await app.get('/api/v1/auth/session', { token })).body.error, 'SESSION_ENDED');
});

test('S43 revocation takes an access, a refresh or an opaque token, and an unknown one is no error', async () => {
  const key = await keyFor(['revoke']);
  for (const [kind, style] of [
    ['access_token', 'jwt'],
    ['refresh_token', 'jwt'],
    ['session_token', 'opaque'],
  ] as const) {
    const { body } = await app.signIn({ email: `${kind.replace('_', '-')}@example.com` }, { style });
    const payload = new URLSearchParams({ token: body[kind], token_type_hint: kind }).toString();
    const answer = await app.post(REVOKE, payload, { headers: { ...form, 'x-api-key': key } });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, {});
    const session = await app.get('/api/v1/auth/session', { token: body.access_token });
    assert.equal(session.body.error, 'SESSION_ENDED', kind);
    if (body.refresh_token) {
      const refresh = await app.post('/api/v1/auth/refresh', { refresh_token: body.refresh_token });
      assert.equal(refresh.body.error, 'SESSION_ENDED');
    }
    const [event] = await app.databases.control.sql`
      select actor from audit_events where subject = ${`session:${body.session.id}`} and action = 'session.ended'`;
    assert.match(event?.['actor'] as string, /^api_key:/);
    assert.equal((await app.post(REVOKE, { token: body[kind] }, withKey(key))).status, 200, 'again');
  }
  for (const token of ['nonsense', 'a.b.c', `fpr_${'A'.repeat(80)}`]) {
    assert.equal((await app.post(REVOKE, { token }, withKey(key))).status, 200);
  }
});

test('S43 a scan of 1,000 random tokens is limited by key and caller, told once; live and ended tokens are answered all the while', async () => {
  const { body } = await app.signIn({ email: 'busy@example.com' });
  const ended = await app.signIn({ email: 'busy-ended@example.com' });
  await app.post('/api/v1/auth/logout', {}, { token: ended.body.access_token });
  const made = await app.app.apiKeys.create({ tenantId: null, name: 'scanner', scopes: ['introspect'] });
  const other = await keyFor(['introspect']);
  const [from, elsewhere] = ['198.51.100.90', '198.51.100.91'];
  const ask = (token: string, key = made.text, caller = from) =>
    app.post(INTROSPECT, { token }, { ...withKey(key), from: caller });
  const random = (number: number): string =>
    number % 2 === 0
      ? `fps_${randomBytes(60).toString('base64url')}`
      : `${(body.access_token as string).slice(0, -20)}${randomBytes(15).toString('base64url')}`;
  const statuses = new Map<number, number>();
  for (let asked = 0; asked < 1000; asked += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(random(index))));
    for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    assert.equal((await ask(body.access_token)).body.active, true);
    assert.deepEqual((await ask(ended.body.access_token)).body, { active: false });
  }
  assert.deepEqual(Object.fromEntries(statuses), { 200: 300, 429: 700 });
  const limited = await ask(random(0));
  assert.equal(limited.body.error, 'RATE_LIMITED');
  assert.ok(limited.body.retry_after > 0 && limited.body.retry_after <= 60);
  assert.equal(limited.headers.get('retry-after'), String(limited.body.retry_after));
  assert.deepEqual((await ask(random(0), other)).body, { active: false }, 'another key');
  assert.deepEqual((await ask(random(0), made.text, elsewhere)).body, { active: false }, 'another network');
  const events = await app.databases.control.sql`
    select from audit_events where action = 'introspection.limited' and actor = ${`api_key:${made.id}`}`;
  assert.equal(events.length, 1);
  app.clock.advance(61);
  assert.deepEqual((await ask(random(0))).body, { active: false }, 'a new minute');
  for (let asked = 0; asked < 1000; asked += 100) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(body.access_token)));
    assert.ok(answers.every((answer) => answer.body.active === true));
  }
});
