import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { census } from '../census.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';

interface Route {
  method: string;
  path: string;
  security: string[];
}

let app: TestApp;
let routes: Route[];
before(async () => {
  app = await createTestApp();
  const { paths } = (await app.get('/openapi.json')).body as {
    paths: Record<string, Record<string, { security?: Record<string, unknown>[] }>>;
  };
  routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path,
      security: (security ?? []).flatMap((entry) => Object.keys(entry)),
    })),
  );
});
after(() => app.close());

/** A body that the route would accept, so that nothing but the tenant can be what refuses it. */
const BODIES: Record<string, unknown> = {
  'PATCH /api/v1/auth/me': { first_name: 'Mallory' },
  'PATCH /api/v1/auth/devices/{id}': { name: 'Mallory' },
  'POST /api/v1/auth/logout': { scope: 'all' },
};

test('S15 a token never passes where another tenant is named, on any route that takes one', async () => {
  const people = new Map<string, { access_token: string; session_token?: string; deviceId: string }>();
  for (const [slug, address] of [
    ['default', { email: 'person@example.com' }],
    ['us', { phone: '+14155550901' }],
    ['uz', { phone: '+998901110901' }],
  ] as const) {
    const { body } = await app.signIn(address);
    assert.equal(body.tenant.slug, slug);
    people.set(slug, { access_token: body.access_token, deviceId: body.session.device_id });
    const opaque = await app.signIn(address, { style: 'opaque' });
    people.set(`${slug} opaque`, {
      access_token: opaque.body.session_token,
      deviceId: opaque.body.session.device_id,
    });
  }
  const before = await census(app);
  const bearer = routes.filter((route) => route.security.includes('bearer'));
  assert.ok(bearer.length >= 8, 'the document names what a token opens');
  let cases = 0;
  for (const route of bearer) {
    for (const [owner, { access_token: token, deviceId }] of people) {
      for (const named of ['default', 'us', 'uz', 'nobody', '']) {
        if (owner.startsWith(named) && named !== '') continue;
        const path = route.path.replace(/\{\w+\}/, deviceId);
        const answer = await app.request(route.method, path, BODIES[`${route.method} ${route.path}`], {
          token,
          headers: { 'x-tenant': named },
        });
        const what = `${route.method} ${path}: token of ${owner} for "${named}"`;
        assert.ok([400, 401, 403, 404].includes(answer.status), `${what}: ${answer.status}`);
        if (BODIES[`${route.method} ${route.path}`] || route.method === 'GET') {
          assert.equal(answer.status, 401, what);
        }
        cases++;
      }
    }
  }
  assert.ok(cases > 150, `${cases} cases`);
  assert.deepEqual(await census(app), before);
  for (const { access_token: token } of people.values()) {
    assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200, 'every session lives on');
  }
});

test('S15 an id of another tenant is not found', async () => {
  const here = (await app.signIn({ phone: '+14155550902' })).body;
  const there = (await app.signIn({ phone: '+998901110902' })).body;
  const { access_token: token } = here;
  const path = `/api/v1/auth/devices/${there.session.device_id}`;
  assert.equal((await app.request('PATCH', path, { name: 'x' }, { token })).status, 404);
  assert.equal((await app.request('DELETE', path, undefined, { token })).status, 404);
  assert.equal((await app.get('/api/v1/auth/session', { token: there.access_token })).status, 200);
});

test('S15 a refresh token is refused where another tenant is named', async () => {
  const { body } = await app.signIn({ phone: '+14155550903' });
  for (const named of ['uz', 'default', 'nobody']) {
    const answer = await app.post(
      '/api/v1/auth/refresh',
      { refresh_token: body.refresh_token },
      { headers: { 'x-tenant': named } },
    );
    assert.equal(answer.body.error, 'TOKEN_INVALID', named);
  }
  const own = { headers: { 'x-tenant': 'us' } };
  assert.equal(
    (await app.post('/api/v1/auth/refresh', { refresh_token: body.refresh_token }, own)).status,
    200,
  );
});

test('S15 a handle and a code of one tenant prove nothing in another', async () => {
  const email = 'same@example.com';
  const from = '198.51.100.77';
  await app.post('/api/v1/auth/send-verification', { email, tenant: 'us' }, { from });
  const sent = await app.post('/api/v1/auth/send-verification', { email }, { from });
  const { verification_id } = sent.body;
  let code = '';
  while (code === '') {
    const { body } = await app.get(`/dev/messages?to=${email}`);
    if (body.length === 2) code = body[0].code;
  }
  for (const tenant of ['us', 'uz']) {
    for (const options of [{ headers: { 'x-tenant': tenant } }, {}]) {
      const named = options.headers ? {} : { tenant };
      const proof = await app.post('/api/v1/auth/verify-code', { verification_id, code, ...named }, options);
      assert.equal(proof.body.error, 'VERIFICATION_NOT_FOUND');
      const again = await app.post(
        '/api/v1/auth/resend-otp',
        { verification_id, ...named },
        { ...options, from },
      );
      assert.equal(again.body.error, 'VERIFICATION_NOT_FOUND');
    }
  }
  assert.equal((await app.post('/api/v1/auth/verify-code', { verification_id, code })).status, 201);
});

test('S15 each tenant signs with keys of its own and under its own issuer', async () => {
  const seen = new Set<string>();
  for (const slug of ['default', 'us', 'uz']) {
    const { keys } = (await app.get(`/t/${slug}/.well-known/jwks.json`)).body;
    for (const { kid } of keys) {
      assert.ok(!seen.has(kid));
      seen.add(kid);
    }
  }
  assert.equal(seen.size, 6);
});

test('S15 a service of one tenant uses up nothing that its chats may do at another', async () => {
  const keyOf = async (slug: string): Promise<Record<string, string>> => {
    const tenantId = app.app.tenants.bySlug(slug)?.id ?? '';
    const { text } = await app.app.apiKeys.create({ tenantId, name: slug, scopes: ['service'] });
    return { 'x-api-key': text };
  };
  const path = '/api/v1/telegram/chats/5551234/send-code';
  const theirs = { headers: await keyOf('us') };
  let refused = 200;
  for (let index = 0; refused === 200; index++) {
    refused = (await app.post(path, { phone: `+1415556${String(1000 + index)}` }, theirs)).status;
  }
  assert.equal(refused, 429);
  const own = await app.post(path, { phone: '+998901110904' }, { headers: await keyOf('uz') });
  assert.equal(own.status, 200, JSON.stringify(own.body));
});

test('S15 a key of one tenant leads nobody’s requests to it: neither by the host of the deployment nor by numbers of others', async () => {
  const keyOf = async (tenantId: string | null): Promise<Record<string, string>> => {
    const { text } = await app.app.apiKeys.create({ tenantId, name: 'admin', scopes: ['admin'] });
    return { 'x-api-key': text };
  };
  const own = await keyOf(app.app.tenants.bySlug('uz')?.id ?? '');
  const patch = (body: object, headers: Record<string, string>) =>
    app.request('PATCH', '/api/v1/admin/tenants/uz', body, { headers });
  for (const body of [
    { hosts: ['127.0.0.1'] },
    { hosts: ['auth.test'] },
    { phone_prefixes: ['+998', '+1415'] },
    { phone_prefixes: ['+998', '+44'], name: 'Market' },
  ]) {
    const { status, body: told } = await patch(body, own);
    assert.deepEqual([status, told.error], [403, 'SCOPE_REQUIRED'], JSON.stringify(body));
  }
  const phone = '+14155550977';
  const { body } = await app.signIn({ phone });
  assert.equal(body.tenant.slug, 'us');
  const byHost = await app.signIn({ email: 'whose-host@example.com' });
  assert.equal(byHost.body.tenant.slug, 'default');
  const same = await patch({ name: 'Market UZ', hosts: [], phone_prefixes: ['+998'] }, own);
  assert.equal(same.status, 200, 'what is as it was may be sent along');
  const deployment = await keyOf(null);
  assert.equal((await patch({ hosts: ['uz.example.org'] }, deployment)).status, 200);
  assert.equal((await patch({ hosts: [] }, deployment)).status, 200);
});
