import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { testPostgres } from '../postgres-for-tests.ts';
import { rawRequest } from '../raw-request.ts';
import { routesOf } from '../routes-of.ts';
import { createTcpProxy, type TcpProxy } from '../tcp-proxy.ts';

let app: TestApp;
let way: TcpProxy;
before(async () => {
  const { hostname, port } = new URL(testPostgres().url);
  way = await createTcpProxy({ host: hostname, port: Number(port) });
  app = await createTestApp({ route: (address) => ({ ...address, host: way.host, port: way.port }) });
});
after(async () => {
  await app.close();
  await way.close();
});

/** What may be kept, because it is the same for everybody and changes its name, or is public and lives minutes. */
const MAY_BE_KEPT = /^\/(?:pages\/|(?:t\/\w+\/)?\.well-known\/jwks\.json)/;

/** What is wrong with the headers of an answer (ASVS 3.4, 14.3.2), whatever the answer is. */
function complaints(path: string, header: (name: string) => string | null): string[] {
  const policy = (header('content-security-policy') ?? '').split(';').map((part) => part.trim());
  const wrong: string[] = [];
  const must = (name: string, holds: boolean): void => {
    if (!holds) wrong.push(`${name}: ${header(name)}`);
  };
  must('x-content-type-options', header('x-content-type-options') === 'nosniff');
  must('referrer-policy', header('referrer-policy') === 'no-referrer');
  must(
    'strict-transport-security',
    Number(/^max-age=(\d+)/.exec(header('strict-transport-security') ?? '')?.[1] ?? 0) >= 31_536_000,
  );
  must(
    'content-security-policy',
    policy.includes("default-src 'none'") &&
      policy.includes("base-uri 'none'") &&
      policy.some((part) => /^frame-ancestors '(?:none|self)'$/.test(part)) &&
      !policy.some((part) => /unsafe-inline|unsafe-eval|\*/.test(part)),
  );
  if (!MAY_BE_KEPT.test(path)) must('cache-control', header('cache-control') === 'no-store');
  for (const name of ['server', 'x-powered-by']) must(name, header(name) === null);
  return wrong;
}

const TENANT = 'default';
const fill = (path: string): string =>
  path
    .replace('{tenant}', TENANT)
    .replaceAll(/\{\w+\}/g, 'x')
    .replace('*', 'x');

test('S46 every answer of every route carries the security headers, for programs and for people', async () => {
  const routes = routesOf(app.app.server);
  assert.ok(routes.length > 90, String(routes.length));
  const { body } = await app.signIn({ email: 'headers@example.com' });
  const statuses = new Map<number, number>();
  const wrong: string[] = [];
  for (const route of routes) {
    const [method = '', template = ''] = route.split(' ');
    const path = fill(template);
    for (const headers of [
      { accept: 'text/html' },
      {
        accept: 'application/json',
        authorization: `Bearer ${body.access_token}`,
        origin: 'https://evil.test',
      },
      { 'content-type': 'application/json' },
      { 'content-type': 'application/x-www-form-urlencoded' },
    ] as Record<string, string>[]) {
      const hasBody = method !== 'GET' && headers['content-type'] !== undefined;
      const response = await fetch(app.url + path, {
        method,
        redirect: 'manual',
        headers,
        ...(hasBody ? { body: '{"a":' } : {}),
      });
      await response.arrayBuffer();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      const found = complaints(path, (name) => response.headers.get(name));
      if (found.length > 0) wrong.push(`${route} ${response.status} ${found.join(' | ')}`);
    }
  }
  assert.deepEqual(wrong, []);
  for (const status of [200, 204, 303, 400, 401, 403, 404]) {
    assert.ok(statuses.has(status), `no ${status} among ${JSON.stringify([...statuses])}`);
  }
});

test('S46 so does what never reaches a route: strange methods, addresses, bodies and bytes', async () => {
  const post = 'POST /api/v1/auth/login HTTP/1.1\r\nhost: a\r\nconnection: close\r\n';
  const json = 'content-type: application/json\r\n';
  const requests: [string, string, number[]][] = [
    ['no route', 'GET /nothing/here HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', [404]],
    ['another method', 'PUT /api/v1/auth/login HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', [404]],
    ['a method of others', 'PROPFIND / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', [404]],
    ['TRACE', 'TRACE / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', [400, 404]],
    ['HEAD', 'HEAD /sign-in HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', [200, 404]],
    ['no method', 'FOO / HTTP/1.1\r\nhost: a\r\n\r\n', [400]],
    ['no host', 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n', [400]],
    ['an expectation', `${post}expect: a miracle\r\n\r\n`, [400]],
    ['no HTTP', 'hello\r\n\r\n', [400]],
    ['a long head', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, [400, 431]],
    ['a bad address', 'GET /%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', [400]],
    ['a NUL', 'GET /a%00 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', [400]],
    ['a header twice', `${post}x-tenant: a\r\nx-tenant: b\r\n${json}content-length: 2\r\n\r\n{}`, [400]],
    ['no JSON', `${post}${json}content-length: 1\r\n\r\n{`, [400]],
    ['XML', `${post}content-type: text/xml\r\ncontent-length: 4\r\n\r\n<a/>`, [400]],
    ['a large body', `${post}${json}content-length: 70000\r\n\r\n${'x'.repeat(70_000)}`, [400]],
  ];
  for (const [what, bytes, expected] of requests) {
    const { status, head } = await rawRequest(app.url, bytes);
    assert.ok(expected.includes(status), `${what}: ${status}`);
    const read = (name: string): string | null =>
      new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? null;
    assert.deepEqual(complaints('/', read), [], `${what}\n${head}`);
  }
});

test('S46 so do the answers of a server that has a fault, or has lost its database', async () => {
  const check = async (path: string, accept: string, status: number): Promise<void> => {
    const response = await fetch(app.url + path, { headers: { accept, 'x-forwarded-for': '198.51.100.3' } });
    assert.equal(response.status, status, `${path} ${accept}`);
    await response.arrayBuffer();
    assert.deepEqual(
      complaints(path, (name) => response.headers.get(name)),
      [],
      `${path} ${accept}`,
    );
  };
  const { sql } = app.databases.control;
  await sql`alter table verifications rename to broken`;
  const link = '/api/v1/auth/verifications/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
  const answer = await app.post('/api/v1/auth/send-verification', { email: 'fault@example.com' });
  assert.equal(answer.status, 500);
  assert.deepEqual(
    complaints('/', (name) => answer.headers.get(name)),
    [],
  );
  await sql`alter table broken rename to verifications`;
  await way.cut();
  try {
    await check('/health/ready', 'application/json', 503);
    await check('/health/ready', 'text/html', 503);
    const away = await app.post('/api/v1/auth/send-verification', { email: 'away@example.com' });
    assert.equal(away.status, 503);
    assert.deepEqual(
      complaints('/', (name) => away.headers.get(name)),
      [],
    );
    await check(link, 'application/json', 404);
  } finally {
    await way.restore();
  }
});
