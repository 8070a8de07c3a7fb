import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';

interface BodySchema {
  properties: Record<string, { type?: string; const?: unknown; properties?: Record<string, unknown> }>;
  required?: string[];
}
interface Operation {
  requestBody?: { required?: boolean; content: Record<string, { schema: BodySchema }> };
  parameters?: { name: string; in: string }[];
}
interface Route {
  method: string;
  path: string;
  operation: Operation;
  body: BodySchema | undefined;
}

let app: TestApp;
let routes: Route[];
let token: string;

before(async () => {
  app = await createTestApp();
  const { paths } = (await app.get('/openapi.json')).body as {
    paths: Record<string, Record<string, Operation>>;
  };
  routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, 'x'),
      operation,
      body: operation.requestBody?.content['application/json']?.schema,
    })),
  );
  token = (await app.signIn({ email: 'bad-input@example.com' })).body.access_token;
});
after(() => app.close());

/** Holds for every refusal of malformed input: the status, the shape, a named place, and nothing of our inside. */
function refusedWith(answer: Answer, what: string, path?: string): void {
  assert.equal(answer.status, 400, `${what}: ${JSON.stringify(answer.body)}`);
  assert.equal(answer.body.success, false, what);
  assert.equal(answer.body.statusCode, 400, what);
  assert.equal(answer.body.error, 'INVALID_REQUEST', what);
  assert.ok(Array.isArray(answer.body.issues) && answer.body.issues.length > 0, what);
  for (const issue of answer.body.issues) {
    assert.equal(typeof issue.path, 'string', what);
    assert.match(issue.message, /\S/, what);
  }
  if (path !== undefined) {
    const paths = answer.body.issues.map((issue: { path: string }) => issue.path);
    assert.ok(paths.includes(path), `${what}: ${path} is not among ${paths.join(' ')}`);
  }
  assert.doesNotMatch(JSON.stringify(answer.body), /node_modules|\.ts:\d|    at |Error:/, what);
}

const send = (route: Route, body: unknown, headers: Record<string, string> = {}) =>
  app.request(route.method, route.path, body, { token, headers });
const withBody = () => routes.filter((route) => route.body !== undefined);

test('the routes under test are all there are', () => {
  assert.ok(
    withBody().length >= 9,
    withBody()
      .map((route) => route.path)
      .join('\n'),
  );
  assert.ok(routes.some((route) => route.method === 'DELETE'));
});

test('S40 a field of the wrong type is refused and named, on every route', async () => {
  const wrong = [12.5, true, [], ['+14155552671'], { $ne: null }, null];
  let cases = 0;
  for (const route of withBody()) {
    for (const [name, schema] of Object.entries(route.body?.properties ?? {})) {
      for (const value of wrong) {
        if (value === null && route.path.endsWith('/me')) continue; // null removes a name
        if (value === true && (schema.type === 'boolean' || schema.const === true)) continue;
        // An array fits a list, whatever is in it; an object without named fields takes any.
        if (schema.type === 'array' && Array.isArray(value)) continue;
        if (
          schema.type === 'object' &&
          !schema.properties &&
          typeof value === 'object' &&
          !Array.isArray(value)
        ) {
          if (value !== null) continue;
        }
        if (
          schema.type === 'object' &&
          typeof value === 'object' &&
          !Array.isArray(value) &&
          value !== null
        ) {
          refusedWith(await send(route, { [name]: { $ne: 1 } }), `${route.path} ${name}`, `/${name}/$ne`);
          continue;
        }
        const what = `${route.method} ${route.path} ${name}=${JSON.stringify(value)}`;
        refusedWith(await send(route, { [name]: value }), what, `/${name}`);
        cases++;
      }
    }
  }
  assert.ok(cases > 150, `${cases} cases`);
});

test('S40 a field nobody asked for is refused and named, on every route', async () => {
  for (const route of withBody()) {
    if (route.path === '/dev/telegram/updates') continue; // Telegram adds fields as it likes
    for (const name of [
      'is_admin',
      'tenant_id',
      'Phone',
      'phone ',
      'toString',
      'constructor',
      'a'.repeat(500),
    ]) {
      const answer = await send(route, JSON.stringify({ [name]: 1 }));
      refusedWith(answer, `${route.path} ${name}`, `/${name.slice(0, 64)}`);
    }
  }
});

test('S40 a body that is no object is refused, on every route', async () => {
  for (const route of withBody()) {
    for (const text of ['null', '[]', '[{}]', '"text"', '1', 'true', '']) {
      if (text === '' && route.operation.requestBody?.required === false) continue;
      refusedWith(await send(route, text), `${route.path} ${text}`);
    }
  }
});

test('S40 JSON that two parsers could read differently is refused, on every route', async () => {
  for (const route of withBody()) {
    for (const [text, path] of [
      ['{"phone":"+14155552671","phone":"+14155552672"}', '/phone'],
      ['{"a":{"b":1,"\\u0062":2}}', '/a/b'],
      ['{"__proto__":{"admin":true}}', '/__proto__'],
      ['{"constructor":{"prototype":{"x":1}}}', '/constructor/prototype'],
      ['{"phone":"\\u0000"}', '/phone'],
      ['{"phone":"\\ud800"}', '/phone'],
      [`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`, undefined],
      [`${'['.repeat(5000)}${']'.repeat(5000)}`, undefined],
      ['{"phone":1', ''],
      ['{phone:1}', ''],
      ['{"phone":NaN}', ''],
      ['\ufeff{}', ''],
      ['{}{}', ''],
      ["{'phone':'1'}", ''],
    ] as const) {
      refusedWith(await send(route, text), `${route.path} ${text.slice(0, 60)}`, path);
    }
  }
});

test('S40 a body larger than 64 KB is refused, on every route; one of 64 KB is read', async () => {
  for (const route of withBody()) {
    refusedWith(await send(route, JSON.stringify({ phone: 'x'.repeat(65_536) })), route.path, '/');
  }
  const exact = JSON.stringify({ phone: 'x'.repeat(65_536 - 12) });
  assert.equal(Buffer.byteLength(exact), 65_536);
  refusedWith(await app.post('/api/v1/auth/send-verification', exact), 'exact', '/phone');
});

test('S40 a content type that is not JSON is refused and the header named, on every route', async () => {
  for (const route of withBody()) {
    const takesForms = /introspect|revoke/.test(route.path);
    for (const type of [
      'text/plain',
      'application/xml',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      'application/x-www-form-urlencoded',
      'nonsense',
      '',
    ]) {
      if (takesForms && type.startsWith('application/x-www')) continue;
      const answer = await send(route, '{}', { 'content-type': type });
      const path = type.startsWith('application/x-www') ? undefined : 'header:content-type';
      refusedWith(answer, `${route.path} ${type}`, path);
    }
  }
});

test('a form is read where OAuth asks for one, and nowhere else', async () => {
  for (const route of withBody()) {
    const answer = await send(route, 'phone=%2B14155552671&token=x', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    if (/introspect|revoke/.test(route.path)) refusedWith(answer, route.path, '/phone');
    else refusedWith(answer, route.path, 'header:content-type');
  }
  for (const path of ['introspect', 'revoke']) {
    for (const text of ['token=a&token=b', '', 'token=', 'token', '%00=1']) {
      const answer = await app.post(`/api/v1/${path}`, text, {
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-api-key': app.apiKey },
      });
      refusedWith(answer, `${path} ${text}`);
    }
  }
});

test('S40 unknown and repeated query parameters are refused where a query is read', async () => {
  for (const route of routes.filter(({ operation }) =>
    operation.parameters?.some((one) => one.in === 'query'),
  )) {
    const name = route.operation.parameters?.find((one) => one.in === 'query')?.name ?? '';
    for (const query of [
      `${name}=1&${name}=2`,
      'nobody=1',
      '__proto__=1',
      `${name}[]=1`,
      `${name}[a]=1`,
      `${name}=%00`,
    ]) {
      const answer = await app.request(route.method, `${route.path}?${query}`, undefined, { token });
      refusedWith(answer, `${route.path}?${query}`);
    }
  }
});

test('an address that exists nowhere is 404 in the one shape, whatever it looks like', async () => {
  for (const path of [
    '/api',
    '/api/v1/auth/',
    '/api/v2/auth/me',
    '/api/v1/auth/me/..%2f..%2fetc',
    '/.env',
    '/api/v1/auth/devices/a/b',
    `/${'a'.repeat(4000)}`,
  ]) {
    const answer = await app.get(path, { token });
    assert.equal(answer.status, 404, path.slice(0, 60));
    assert.equal(answer.body.error, 'NOT_FOUND');
    assert.equal(answer.body.success, false);
  }
  for (const [method, path] of [
    ['GET', '/api/v1/auth/verify-code'],
    ['POST', '/api/v1/auth/me'],
    ['PUT', '/api/v1/auth/me'],
    ['OPTIONS', '/api/v1/auth/session'],
  ] as const) {
    assert.equal((await app.request(method, path, undefined, { token })).status, 404, `${method} ${path}`);
  }
});

test('S40 a pattern of a tenant that never ends for some texts holds nobody up', async () => {
  const tenant = app.app.tenants.bySlug('us');
  assert.ok(tenant);
  // As it may stand in a database of before: saving it is refused.
  const schema = { type: 'object', properties: { nick: { type: 'string', pattern: '^qw(a+)+$' } } };
  await app.app.tenants.update(tenant, { settings: { ...tenant.settings, custom_fields: schema } });
  const register = (nick: string, phone: string): Promise<Answer> =>
    app.post('/api/v1/auth/register', { phone, custom_fields: { nick } }, { from: '198.51.100.240' });
  const began = performance.now();
  const evil = await Promise.all(
    Array.from({ length: 20 }, () => register(`qw${'a'.repeat(40)}!`, '+12025550191')),
  );
  for (const answer of evil) refusedWith(answer, 'a text that takes too long', '/custom_fields');
  assert.equal((await app.get('/health/live')).status, 200);
  assert.ok(performance.now() - began < 5000);
  // What such texts may cost is used up for a second, at this tenant alone.
  const elsewhere = await app.post(
    '/api/v1/auth/register',
    { phone: '+998901112299' },
    { from: '198.51.100.241' },
  );
  assert.equal(elsewhere.status, 202);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal((await register('qwaa', '+12025550192')).status, 202);
});

test('S40 thousands of fields, repeated or unknown, in a form, a query or a body hold nobody up', async () => {
  const form = (body: string) =>
    fetch(`${app.url}/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
  const distinct = (count: number) => Array.from({ length: count }, (_, index) => `f${index}`);
  const json = (fields: readonly string[]) => `{${fields.map((name) => `"${name}":1`).join(',')}}`;
  const asked: [string, () => Promise<Response>][] = [
    ['a form of one name', () => form('a&'.repeat(32_000))],
    ['a form of many names', () => form(distinct(8000).join('&'))],
    ['a query of one name', () => fetch(`${app.url}/api/v1/auth/session?${'a&'.repeat(7000)}`)],
    [
      'cookies of many names',
      () =>
        fetch(`${app.url}/verify`, {
          headers: {
            cookie: distinct(450)
              .map((name) => `__Host-firstproof-flow-${name.padStart(8, '0')}=x`)
              .join('; '),
          },
        }),
    ],
    ['a query of many names', () => fetch(`${app.url}/sign-in?${distinct(2000).join('&')}`)],
    [
      'a body of many names',
      () =>
        fetch(`${app.url}/api/v1/auth/send-verification`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: json(distinct(5000)),
        }),
    ],
    [
      'custom fields of many names',
      () =>
        fetch(`${app.url}/api/v1/auth/register`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: `{"email":"many@example.org","custom_fields":${json(distinct(4000))}}`,
        }),
    ],
  ];
  for (const [what, ask] of asked) {
    const began = performance.now();
    const { status } = await ask();
    const took = performance.now() - began;
    assert.ok(status < 500, `${what}: ${status}`);
    assert.ok(took < 500, `${what}: ${Math.round(took)} ms`);
  }
});
