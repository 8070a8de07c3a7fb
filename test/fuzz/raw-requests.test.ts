import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { rawRequest } from '../raw-request.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const SESSION = 'GET /api/v1/auth/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
const SEND = 'POST /api/v1/auth/send-verification HTTP/1.1\r\nConnection: close\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';

async function refused(bytes: string | Buffer, path?: string): Promise<void> {
  const what = bytes.toString('latin1').slice(0, 200);
  const answer = await rawRequest(app.url, bytes);
  assert.equal(answer.status, 400, `${what}\n→ ${answer.head}\n${answer.body}`);
  const body = JSON.parse(answer.body) as { success: boolean; error: string; issues: { path: string }[] };
  assert.equal(body.success, false, what);
  assert.equal(body.error, 'INVALID_REQUEST', what);
  assert.ok(body.issues.length > 0, what);
  if (path !== undefined) assert.equal(body.issues[0]?.path, path, what);
  assert.doesNotMatch(answer.body, /node_modules|    at |HPE_/);
}

const post = (headers: string, body: string | Buffer): Buffer => {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`${SEND}${headers}Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
};

test('S40 a header that decides may be given once, however it is written', async () => {
  for (const [name, one, two] of [
    ['Authorization', 'Bearer a', 'Bearer b'],
    ['X-Tenant', 'us', 'uz'],
    ['Cookie', 'a=1', 'a=2'],
    ['Content-Type', 'application/json', 'text/plain'],
    ['Origin', 'https://a.test', 'https://b.test'],
    ['X-Api-Key', 'a', 'b'],
  ] as const) {
    await refused(
      `${SESSION}${name}: ${one}\r\n${name.toLowerCase()}: ${two}\r\n\r\n`,
      `header:${name.toLowerCase()}`,
    );
    await refused(`${SESSION}${name}: ${one}\r\n${name.toUpperCase()}: ${one}\r\n\r\n`);
  }
  await refused(
    'GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n',
    'header:host',
  );
});

test('S40 what a proxy and this server could read as two different requests is refused', async () => {
  const body = '{"phone":"+14155550801"}';
  for (const headers of [
    `Host: x\r\n${JSON_TYPE}Content-Length: 5\r\nContent-Length: ${body.length}\r\n`,
    `Host: x\r\n${JSON_TYPE}Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n`,
    `Host: x\r\n${JSON_TYPE}Content-Length: +${body.length}\r\n`,
    `Host: x\r\n${JSON_TYPE}Content-Length: -1\r\n`,
    `Host: x\r\n${JSON_TYPE}Transfer-Encoding: chunked, identity\r\n`,
    `Host: x\r\n${JSON_TYPE}Content-Length : ${body.length}\r\n`,
    `Host: x\r\n folded: y\r\nX-A: b\r\n  c\r\n${JSON_TYPE}`,
    `Host: x\r\nX-Bad\0Name: 1\r\n`,
    `Host: x\r\nX-Bad: a\0b\r\n`,
  ]) {
    await refused(`${SEND}${headers}\r\n${body}`);
  }
  const rows = await app.databases.of('us').sql`select id from verifications`;
  assert.equal(rows.length, 0);
});

test('requests that are no HTTP are refused in the one shape', async () => {
  for (const bytes of [
    'HELLO\r\n\r\n',
    '\0\0\0\0\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `${SESSION}Authorization: Bearer ${'a'.repeat(70_000)}\r\n\r\n`,
    `${SESSION}${Array.from({ length: 3000 }, (_, index) => `X-H-${index}: 1\r\n`).join('')}\r\n`,
  ]) {
    await refused(Buffer.from(bytes, 'latin1'));
  }
});

test('a request without a Host is refused', async () => {
  const answer = await rawRequest(app.url, 'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.equal(answer.status, 400);
});

test('an address that cannot be decoded is refused', async () => {
  for (const path of [
    '/api/v1/auth/devices/%',
    '/api/v1/auth/devices/%ff%fe',
    '/%E0%A4%A',
    '/dev/messages/%zz',
  ]) {
    await refused(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  }
});

test('S40 a name that is given thousands of times costs no more than one', async () => {
  const count = 7000;
  const time = async (query: string): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const begun = performance.now();
      await rawRequest(app.url, SESSION.replace(' HTTP', `?${query} HTTP`) + '\r\n');
      times.push(performance.now() - begun);
    }
    return Math.min(...times);
  };
  const once = await time(`a=${'b'.repeat(2 * count)}`);
  const repeated = await time('a&'.repeat(count));
  assert.ok(repeated < 10 * once + 20, `${repeated} ms, and ${once} ms for one name`);
});

test('S40 a form of more than a thousand fields is refused', async () => {
  const form = (fields: number): string =>
    `POST /api/v1/introspect HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${2 * fields}\r\n` +
    `Content-Type: application/x-www-form-urlencoded\r\n\r\n${'a&'.repeat(fields)}`;
  await refused(form(32_000), '');
  assert.match((await rawRequest(app.url, form(900))).body, /"\/token"/);
});

test('S40 bytes that are no UTF-8, and NUL, are refused and nothing is stored', async () => {
  const prefix = Buffer.from('{"phone":"+1415555');
  for (const bad of [
    [0xff],
    [0xc3, 0x28],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    [0xf8, 0x88, 0x80, 0x80, 0x80],
    [0xc0, 0x80],
  ]) {
    await refused(
      post(`Host: x\r\n${JSON_TYPE}`, Buffer.concat([prefix, Buffer.from(bad), Buffer.from('0802"}')])),
    );
    const name = Buffer.concat([Buffer.from('{"email":"a'), Buffer.from(bad), Buffer.from('@example.com"}')]);
    await refused(post(`Host: x\r\n${JSON_TYPE}`, name));
  }
  await refused(post(`Host: x\r\n${JSON_TYPE}`, '{"phone":"\0"}'));
  await refused(
    post(`Host: x\r\nContent-Type: application/json; charset=utf-16\r\n`, Buffer.from('{}', 'utf16le')),
  );
  for (const database of app.databases.all()) {
    const rows = await database.sql`select id from verifications`;
    assert.equal(rows.length, 0);
  }
});

test('a name with bytes that are no UTF-8 is never stored with replacement characters', async () => {
  const { body } = await app.signIn({ email: 'bytes@example.com' });
  const text = Buffer.concat([Buffer.from('{"first_name":"A'), Buffer.from([0xff]), Buffer.from('"}')]);
  const head = `PATCH /api/v1/auth/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${body.access_token}\r\n${JSON_TYPE}Content-Length: ${text.length}\r\n\r\n`;
  await refused(Buffer.concat([Buffer.from(head), text]));
  const me = await app.get('/api/v1/auth/me', { token: body.access_token });
  assert.equal(me.body.user.first_name, null);
});

test('the server goes on answering after all of that', async () => {
  assert.equal((await app.get('/health/ready')).status, 200);
});
