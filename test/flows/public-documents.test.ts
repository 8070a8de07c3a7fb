import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { routesOf } from '../routes-of.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

test('a service verifies a token by the published keys, issuer and audience of its tenant', async () => {
  const { body } = await app.signIn({ phone: '+998901110701' });
  const token = body.access_token as string;
  const currentDate = app.clock.now();
  const expected = { issuer: 'https://auth.test/t/uz', audience: 'uz', typ: 'at+jwt', currentDate };
  for (const path of ['/.well-known/jwks.json', '/t/uz/.well-known/jwks.json']) {
    const answer = await app.get(path);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('cache-control'), 'public, max-age=300');
    const { payload } = await jwtVerify(token, createLocalJWKSet(answer.body), expected);
    assert.equal(payload.sub, body.user.id);
    assert.equal(payload['sid'], body.session.id);
    assert.equal(payload['tid'], body.tenant.id);
    assert.equal(payload['client_id'], 'uz');
    assert.equal(payload['role'], 'user');
    assert.deepEqual(payload['amr'], ['otp']);
    assert.match(payload.jti ?? '', /^[0-9a-f-]{36}$/);
    for (const key of answer.body.keys) {
      assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    }
  }
  const others = createLocalJWKSet((await app.get('/t/us/.well-known/jwks.json')).body);
  await assert.rejects(jwtVerify(token, others, expected), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  const named = await app.get('/.well-known/jwks.json', { headers: { 'x-tenant': 'uz' } });
  assert.equal(named.body.keys.length, 2);
  assert.equal((await app.get('/.well-known/jwks.json')).body.keys.length, 6);
  for (const answer of [
    await app.get('/t/nobody/.well-known/jwks.json'),
    await app.get('/.well-known/jwks.json', { headers: { 'x-tenant': 'nobody' } }),
  ]) {
    assert.equal(answer.status, 404);
    assert.equal(answer.body.error, 'TENANT_NOT_FOUND');
  }
});

test('after a rotation old and new tokens are good; after an emergency the old ones are not', async () => {
  const tenant = app.app.tenants.bySlug('us');
  assert.ok(tenant);
  const { body } = await app.signIn({ phone: '+14155550702' });
  const kid = (token: string) => decodeProtectedHeader(token).kid;
  const before = (await app.get('/t/us/.well-known/jwks.json')).body.keys as { kid: string }[];
  assert.equal(await app.app.keys.rotate(tenant.id, { emergency: false, actor: 'test' }), false, 'too soon');
  app.clock.advance(600);
  assert.equal(await app.app.keys.rotate(tenant.id, { emergency: false, actor: 'test' }), true);
  const next = await app.post('/api/v1/auth/refresh', { refresh_token: body.refresh_token });
  assert.notEqual(kid(next.body.access_token), kid(body.access_token));
  assert.ok(
    before.some((key) => key.kid === kid(next.body.access_token)),
    'published before it signs',
  );
  for (const token of [body.access_token, next.body.access_token]) {
    assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
  }
  app.clock.advance(1);
  await app.app.keys.rotate(tenant.id, { emergency: true, actor: 'test' });
  app.clock.advance(1);
  const last = await app.post('/api/v1/auth/refresh', { refresh_token: next.body.refresh_token });
  assert.equal((await app.get('/api/v1/auth/session', { token: last.body.access_token })).status, 200);
  const jwks = (await app.get('/t/us/.well-known/jwks.json')).body.keys as { kid: string }[];
  assert.ok(!jwks.some((key) => key.kid === kid(next.body.access_token)));
  assert.equal((await app.get('/api/v1/auth/session', { token: next.body.access_token })).status, 401);
});

/** Pages for people are no calls of the API: the hosted ones, and what they are made of. */
const IS_PAGE =
  /^(?:GET|POST) (?:\/t\/\{tenant\}$)?(?:\/t\/\{tenant\})?\/?(?:sign-in|sign-up|sign-out|verify(?:\/(?:resend|events))?|prove|second-proof|forgot|reset|not-me\/\{token\}|docs|dev\/inbox(?:\/\{id\}\/letter)?|telegram(?:\/\w+)?|account(?:\/\w+)?|\*?|pages\/\{file\})?$/;

test('the OpenAPI document tells of every route and of nothing else', async () => {
  const answer = await app.get('/openapi.json');
  assert.equal(answer.status, 200);
  assert.equal(answer.body.openapi, '3.1.0');
  assert.deepEqual(answer.body.servers, [{ url: 'https://auth.test' }]);
  const documented = Object.entries(answer.body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const served = routesOf(app.app.server).filter(
    (route) => route !== 'GET /openapi.json' && !route.startsWith('OPTIONS ') && !IS_PAGE.test(route),
  );
  assert.ok(served.includes('DELETE /api/v1/auth/devices/{id}'), served.join('\n'));
  assert.deepEqual(documented.sort(), served.sort());
});

test('the OpenAPI document is written once, however many ask for it', async () => {
  const headers = { 'accept-encoding': 'identity' };
  const time = async (path: string): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < 12; round++) {
      const begun = performance.now();
      await (await fetch(app.url + path, { headers })).arrayBuffer();
      times.push(performance.now() - begun);
    }
    return Math.min(...times);
  };
  const [page, document] = [await time('/docs'), await time('/openapi.json')];
  assert.ok(document < 3 * page, `${document} ms, and ${page} ms for the page of the same`);
});

test('R13 health: the process runs, and it is ready for traffic until it begins to stop', async () => {
  const live = await app.get('/health/live');
  assert.deepEqual(live.body, { status: 'ok', version: 'test' });
  const ready = await app.get('/health/ready');
  assert.equal(ready.status, 200);
  const stopping = await app.replica();
  try {
    stopping.app.beginStop();
    const answer = await stopping.get('/health/ready');
    assert.equal(answer.status, 503);
    assert.deepEqual(answer.body, { status: 'unavailable', version: 'test' });
    assert.equal((await stopping.get('/health/live')).status, 200);
  } finally {
    await stopping.close();
  }
});

test('the inbox shows what would have gone out, newest first, and only in development mode', async () => {
  const email = 'inbox@example.com';
  await app.signIn({ email });
  await app.signIn({ email });
  const answer = await app.get(`/dev/messages?to=${email}`);
  assert.equal(answer.status, 200);
  const codes = answer.body.filter((message: { code: string | null }) => message.code !== null);
  assert.equal(codes.length, 2);
  assert.ok(codes[0].id > codes[1].id);
  assert.deepEqual(Object.keys(codes[0]).sort(), [
    'channel',
    'code',
    'created_at',
    'html',
    'id',
    'subject',
    'text',
    'to',
  ]);
  assert.equal((await app.get('/dev/messages?limit=1')).body.length, 1);
  assert.deepEqual((await app.get('/dev/messages?to=nobody@example.com')).body, []);
  for (const query of [
    'limit=0',
    'limit=1000',
    'limit=x',
    'wait=11',
    'wait=x',
    'after=1',
    'to=a&to=b',
    'other=1',
  ]) {
    assert.equal((await app.get(`/dev/messages?${query}`)).status, 400, query);
  }
  const production = await createTestApp({
    env: {
      FIRSTPROOF_MODE: 'production',
      FIRSTPROOF_PUBLIC_URL: 'https://auth.test',
      FIRSTPROOF_SECRET: 'Zt5Wd8Kp2Nv7Ls4Xc9Bh6Gm3Qa1Yf0Je',
    },
    providers: [],
  });
  try {
    assert.equal((await production.get('/dev/messages')).status, 404);
    const { paths } = (await production.get('/openapi.json')).body;
    assert.equal(paths['/dev/messages'], undefined);
    const sent = await production.post('/api/v1/auth/send-verification', { email });
    assert.equal(sent.status, 503);
    assert.equal(sent.body.error, 'CHANNEL_UNAVAILABLE');
  } finally {
    await production.close();
  }
});
