import assert from 'node:assert/strict';
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
