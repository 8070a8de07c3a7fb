import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

type Kind = 'access' | 'refresh' | 'opaque' | 'api_key' | 'handle' | 'code';
const KINDS: Kind[] = ['access', 'refresh', 'opaque', 'api_key', 'handle', 'code'];
let person = 0;

/** One secret of each kind, all of the same tenant and alive. */
async function secrets(): Promise<Record<Kind, string>> {
  const name = `kind${person++}`;
  const from = `198.51.100.${person}`;
  const jwt = (await app.signIn({ email: `${name}@example.com` }, {}, { from })).body;
  const opaque = (await app.signIn({ email: `${name}-opaque@example.com` }, { style: 'opaque' }, { from }))
    .body;
  const email = `${name}-waiting@example.com`;
  const sent = await app.post('/api/v1/auth/send-verification', { email }, { from });
  return {
    access: jwt.access_token,
    refresh: jwt.refresh_token,
    opaque: opaque.session_token,
    api_key: app.apiKey,
    handle: sent.body.verification_id,
    code: await app.code(email),
  };
}

/** What each endpoint takes, and which kinds may open it. Everything off this diagonal must be refused. */
const ENDPOINTS: { name: string; opens: Kind[]; passes: (secret: string) => Promise<boolean> }[] = [
  ...(['session', 'check', 'me', 'devices'] as const).map((path) => ({
    name: `GET ${path}`,
    opens: ['access', 'opaque'] as Kind[],
    passes: async (token: string) => (await app.get(`/api/v1/auth/${path}`, { token })).status < 300,
  })),
  {
    name: 'GET check by cookie',
    opens: ['access', 'opaque'],
    passes: async (secret) => {
      const headers = { cookie: `__Host-firstproof=${secret}` };
      return (await app.get('/api/v1/auth/check', { headers })).status === 204;
    },
  },
  {
    name: 'PATCH me',
    opens: ['access', 'opaque'],
    passes: async (token) => (await app.request('PATCH', '/api/v1/auth/me', {}, { token })).status === 200,
  },
  {
    name: 'POST logout',
    opens: ['access', 'opaque'],
    passes: async (token) =>
      (await app.post('/api/v1/auth/logout', { scope: 'others' }, { token })).status === 200,
  },
  {
    name: 'POST refresh',
    opens: ['refresh'],
    passes: async (secret) =>
      (await app.post('/api/v1/auth/refresh', { refresh_token: secret })).status === 200,
  },
  ...(['x-api-key', 'bearer', 'basic'] as const).map((place) => ({
    name: `POST introspect by ${place}`,
    opens: ['api_key'] as Kind[],
    passes: async (secret: string) => {
      const headers: Record<string, string> =
        place === 'x-api-key'
          ? { 'x-api-key': secret }
          : place === 'bearer'
            ? { authorization: `Bearer ${secret}` }
            : { authorization: `Basic ${Buffer.from(`x:${secret}`).toString('base64')}` };
      return (await app.post('/api/v1/introspect', { token: 'x' }, { headers })).status === 200;
    },
  })),
  {
    name: 'introspected as an active token',
    opens: ['access', 'opaque'],
    passes: async (token) => {
      const headers = { 'x-api-key': app.apiKey };
      return (await app.post('/api/v1/introspect', { token }, { headers })).body.active === true;
    },
  },
  {
    name: 'POST resend-otp',
    opens: ['handle'],
    passes: async (secret) => {
      const answer = await app.post('/api/v1/auth/resend-otp', { verification_id: secret });
      return answer.body.error === 'RESEND_TOO_SOON';
    },
  },
];

for (const endpoint of ENDPOINTS) {
  test(`S13 ${endpoint.name} opens for ${endpoint.opens.join(' and ')}, and for nothing else`, async () => {
    const all = await secrets();
    const passed: Kind[] = [];
    for (const kind of KINDS) if (await endpoint.passes(all[kind])) passed.push(kind);
    assert.deepEqual(passed, endpoint.opens);
  });
}

test('S13 a code is proved by nothing but itself', async () => {
  const all = await secrets();
  for (const kind of ['access', 'refresh', 'opaque', 'api_key', 'handle'] as const) {
    const answer = await app.post('/api/v1/auth/verify-code', {
      verification_id: all.handle,
      code: all[kind],
    });
    assert.equal(answer.status, 400, kind);
  }
  for (const kind of ['access', 'refresh', 'opaque', 'api_key'] as const) {
    const body = { verification_id: all[kind], code: all.code };
    const answer = await app.post('/api/v1/auth/verify-code', body);
    assert.ok(answer.status === 404 || answer.status === 400, kind);
  }
  const right = await app.post('/api/v1/auth/verify-code', { verification_id: all.handle, code: all.code });
  assert.equal(right.status, 201);
});
