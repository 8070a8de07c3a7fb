import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { census } from '../census.ts';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';
import { wrongCode } from '../wrong-code.ts';

const V1 = '/api/v1/auth';
const SEND = `${V1}/send-verification`;
const APP = 'https://app.school.test';

let app: TestApp;
let production: TestApp;
before(async () => {
  [app, production] = await Promise.all([
    createTestApp({ tenants: { uz: { allowed_origins: [APP, 'capacitor://localhost'] } } }),
    createTestApp({
      env: {
        FIRSTPROOF_MODE: 'production',
        FIRSTPROOF_PUBLIC_URL: 'https://auth.test',
        FIRSTPROOF_SECRET: 'kX3pQ8vT1zLw7RmN5sJ2hB9cYd4gF6aEuW0oPiVq',
      },
    }),
  ]);
  const uz = app.app.tenants.bySlug('uz');
  assert.ok(uz);
  await app.app.tenants.update(uz, { hosts: ['uz.auth.test'] });
});
after(() => Promise.all([app.close(), production.close()]));

let counter = 0;
const newPhone = (): string => `+99890${String(++counter).padStart(7, '0')}`;
const isRefused = ({ status, body }: Answer): boolean =>
  status === 403 && body.error === 'ORIGIN_NOT_ALLOWED';

/** Every call that changes something without a token, with a body that says which tenant it is for. */
const OPEN_CALLS: readonly [string, () => Record<string, unknown>][] = [
  [SEND, () => ({ phone: newPhone() })],
  [`${V1}/resend-otp`, () => ({ phone: newPhone() })],
  [`${V1}/register`, () => ({ phone: newPhone() })],
  [`${V1}/verify-code`, () => ({ phone: newPhone(), code: '123456' })],
  [`${V1}/login`, () => ({ phone: newPhone(), password: 'whatever it is' })],
  [`${V1}/forgot-password`, () => ({ phone: newPhone() })],
  [`${V1}/refresh`, () => ({ refresh_token: 'fpr_x' })],
  [`${V1}/telegram/links`, () => ({ tenant: 'uz' })],
  [`${V1}/telegram/init-data`, () => ({ init_data: 'x', tenant: 'uz' })],
  ['/api/auth/register', () => ({ phone: newPhone() })],
  ['/api/auth/resend-otp', () => ({ phone: newPhone() })],
  ['/api/auth/verify-otp', () => ({ phone: newPhone(), otp: '123456' })],
  ['/api/auth/login', () => ({ phone: newPhone(), password: 'whatever it is' })],
  ['/api/auth/forgot-password', () => ({ phone: newPhone() })],
];

/** What browsers send for pages that have no business here. */
const STRANGERS: readonly Record<string, string>[] = [
  { origin: 'https://evil.example' },
  { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  // A name that somebody has pointed at this machine.
  { origin: 'https://evil.example', 'sec-fetch-site': 'same-site' },
  { origin: 'https://app.school.test.evil.example' },
  { origin: 'https://app.school.test:8443' },
  { origin: 'http://app.school.test' },
  { origin: 'HTTPS://APP.SCHOOL.TEST' },
  { origin: 'null' },
  { origin: 'null', 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { origin: 'nonsense' },
];

test('S38 no call without a token does anything for a page of another site', async () => {
  const before = await census(app);
  for (const [path, body] of OPEN_CALLS) {
    for (const headers of STRANGERS) {
      const answer = await app.post(path, body(), { headers });
      assert.ok(isRefused(answer), `${path} ${JSON.stringify([headers, answer.body])}`);
      assert.equal(answer.headers.get('access-control-allow-origin'), null);
    }
  }
  assert.deepEqual(await census(app), before, 'nothing was sent, kept or recorded');
});

test('S38 programs, our own pages and allowed ones are not refused, on any of these calls', async () => {
  const welcome: Record<string, string>[] = [
    {},
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    { origin: 'https://auth.test', 'sec-fetch-site': 'same-origin' },
    { origin: 'https://uz.auth.test', 'sec-fetch-site': 'same-origin' },
    { origin: APP, 'sec-fetch-site': 'cross-site' },
    { origin: 'capacitor://localhost', 'sec-fetch-site': 'cross-site' },
  ];
  for (const [path, body] of OPEN_CALLS) {
    for (const [index, headers] of welcome.entries()) {
      const named = path.endsWith('/refresh') ? { 'x-tenant': 'uz' } : {};
      const from = `198.51.${index}.${++counter % 250}`;
      const answer = await app.post(path, body(), { from, headers: { ...headers, ...named } });
      assert.ok(!isRefused(answer), `${path} ${JSON.stringify([headers, answer.body])}`);
      const told = answer.headers.get('access-control-allow-origin');
      assert.equal(told, headers['origin'] ?? null);
    }
  }
});

test('S38 an origin is allowed by the tenant whose request it is, and by no other', async () => {
  const headers = { origin: APP };
  assert.equal((await app.post(SEND, { phone: newPhone() }, { headers })).status, 200, 'by the phone');
  const named = { phone: newPhone(), tenant: 'uz' };
  assert.equal((await app.post(SEND, named, { headers })).status, 200, 'by the body');
  const header = { ...headers, 'x-tenant': 'uz' };
  assert.equal((await app.post(SEND, { phone: newPhone() }, { headers: header })).status, 200);
  for (const body of [
    { email: 'victim@example.com' },
    { phone: '+14155550123' },
    { phone: newPhone(), tenant: 'default' },
  ]) {
    assert.ok(isRefused(await app.post(SEND, body, { headers })), JSON.stringify(body));
  }
  const other = { ...headers, 'x-tenant': 'us' };
  assert.ok(isRefused(await app.post(SEND, { phone: newPhone(), tenant: 'uz' }, { headers: other })));
});

test('S38 neither a token nor a handle makes a request one of another tenant than it is', async () => {
  const headers = { origin: APP };
  const victim = { email: 'victim@example.com' };
  for (const authorization of ['Bearer x', 'Basic eDp5', 'x']) {
    const answer = await app.post(SEND, victim, { headers: { ...headers, authorization } });
    assert.ok(isRefused(answer), `${authorization}: ${answer.status}`);
  }
  const { body } = await app.signIn({ phone: newPhone() });
  const token = body.access_token as string;
  assert.ok(
    isRefused(await app.post(SEND, victim, { token, headers })),
    'a living one, of the tenant whose site it is',
  );
  const handle = (await app.post(SEND, { phone: newPhone() })).body.verification_id as string;
  for (const verification_id of [handle, `${handle}x`, 'x', 'v_x', '']) {
    for (const path of [`${V1}/register`, '/api/auth/register']) {
      const answer = await app.post(path, { ...victim, verification_id }, { headers });
      assert.ok(isRefused(answer) || answer.status === 400, `${path} ${verification_id}: ${answer.status}`);
    }
  }
  const linked = await app.post(`${V1}/telegram/links`, {}, { token, headers });
  assert.ok(!isRefused(linked), 'what is asked for with a token is of its tenant');
});

test('S38 in production a page on somebody’s own machine is another site; programs are none', async () => {
  const body = { email: 'person@example.com' };
  for (const origin of ['http://localhost:5173', 'http://127.0.0.1:3000', 'http://app.localhost']) {
    assert.ok(isRefused(await production.post(SEND, body, { headers: { origin } })), origin);
    assert.ok(!isRefused(await app.post(SEND, body, { headers: { origin } })), `${origin} in development`);
  }
  const proxied = { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' };
  assert.ok(isRefused(await production.post(SEND, body, { headers: proxied })));
  assert.ok(!isRefused(await production.post(SEND, body)));
});

test('a single-page application signs in from an allowed origin, with what it needs to read', async () => {
  const headers = { origin: APP, 'sec-fetch-site': 'cross-site' };
  const preflight = await app.request('OPTIONS', SEND, undefined, {
    headers: {
      origin: APP,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,idempotency-key,x-device-token',
    },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), APP);
  assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /\bPOST\b/);
  const allowed = (preflight.headers.get('access-control-allow-headers') ?? '').split(', ');
  for (const name of [
    'authorization',
    'content-type',
    'idempotency-key',
    'x-captcha-response',
    'x-challenge-solution',
    'x-device-token',
    'x-tenant',
  ])
    assert.ok(allowed.includes(name), name);
  assert.match(preflight.headers.get('vary') ?? '', /origin/);

  const phone = newPhone();
  const sent = await app.post(SEND, { phone }, { headers });
  const { verification_id } = sent.body;
  const code = await app.code(phone);
  const wrong = await app.post(`${V1}/verify-code`, { verification_id, code: wrongCode(code) }, { headers });
  assert.equal(wrong.status, 401);
  const signedIn = await app.post(`${V1}/verify-code`, { verification_id, code }, { headers });
  assert.equal(signedIn.status, 201, 'by the handle alone, which names no tenant');
  const token = signedIn.body.access_token as string;
  const me = await app.get(`${V1}/me`, { token, headers });
  const broken = await app.post(SEND, '{', { headers });
  const soon = await app.post(SEND, { phone: '+99890' }, { headers });
  const keys = await app.get('/.well-known/jwks.json', { headers });
  for (const answer of [sent, wrong, signedIn, me, broken, soon, keys]) {
    assert.equal(answer.headers.get('access-control-allow-origin'), APP, JSON.stringify(answer.body));
    assert.match(answer.headers.get('vary') ?? '', /origin/);
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', /retry-after/);
    assert.equal(answer.headers.get('access-control-allow-credentials'), null, 'cookies stay at home');
  }
});

test('S38 other sites get no preflight and read nothing; what no browser calls is not opened to any', async () => {
  const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
  for (const path of [SEND, `${V1}/me`, '/api/auth/login', '/.well-known/jwks.json']) {
    const preflight = await app.request('OPTIONS', path, undefined, { headers });
    assert.ok(isRefused(preflight), path);
    assert.equal(preflight.headers.get('access-control-allow-origin'), null);
  }
  const { body } = await app.signIn({ phone: newPhone() });
  const read = await app.get(`${V1}/me`, { token: body.access_token, headers });
  assert.equal(read.headers.get('access-control-allow-origin'), null);
  const own = { origin: APP, 'access-control-request-method': 'POST' };
  for (const path of ['/api/v1/admin/tenants', '/api/v1/introspect', '/api/v1/phones/1/authorization']) {
    const preflight = await app.request('OPTIONS', path, undefined, { headers: own });
    assert.equal(preflight.headers.get('access-control-allow-origin'), null, path);
    assert.notEqual(preflight.status, 204, path);
    const answer = await app.get(path, { headers: { ...own, 'x-api-key': app.apiKey } });
    assert.equal(answer.headers.get('access-control-allow-origin'), null, path);
  }
});

test('S38 an origin that browsers never send, or that is everybody’s, cannot be allowed', async () => {
  const wrong = [
    '*',
    'null',
    'https://*.school.test',
    'https://app.school.test/',
    'https://app.school.test/path',
    'https://APP.school.test',
    'https://app.school.test:443',
    'http://app.school.test',
    'app.school.test',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'data:text/html,x',
  ];
  const headers = { 'x-api-key': app.apiKey };
  for (const origin of wrong) {
    const settings = { allowed_origins: [origin] };
    const answer = await app.request('PATCH', '/api/v1/admin/tenants/us', { settings }, { headers });
    assert.equal(answer.status, 400, origin);
    assert.equal(answer.body.issues[0].path, '/settings/allowed_origins/0');
  }
  const settings = { allowed_origins: ['http://localhost:5173', 'https://app.school.test:8443'] };
  const good = await app.request('PATCH', '/api/v1/admin/tenants/us', { settings }, { headers });
  assert.equal(good.status, 200, JSON.stringify(good.body));
  const changed = { headers: { origin: 'https://app.school.test:8443' } };
  assert.equal((await app.post(SEND, { phone: '+14155550177' }, changed)).status, 200, 'at once');
});
