import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';
import { testPostgres } from '../postgres-for-tests.ts';
import { createTcpProxy, type TcpProxy } from '../tcp-proxy.ts';

let app: TestApp;
/** One on the way to the control database and market us, one on the way to market uz. */
let control: TcpProxy;
let uz: TcpProxy;

before(async () => {
  const { hostname, port } = new URL(testPostgres().url);
  const target = { host: hostname, port: Number(port) };
  [control, uz] = await Promise.all([createTcpProxy(target), createTcpProxy(target)]);
  const ways = [control, control, uz];
  app = await createTestApp({
    route: (address) => {
      const way = ways.shift();
      assert.ok(way);
      return { ...address, host: way.host, port: way.port };
    },
  });
});
after(async () => {
  await app.close();
  await Promise.all([control.close(), uz.close()]);
});

afterEach(async () => {
  await Promise.all([control.restore(), uz.restore()]);
  await untilReady();
});

function isAway(answer: Answer, what: string): void {
  assert.equal(answer.status, 503, `${what}: ${JSON.stringify(answer.body)}`);
  assert.equal(answer.body.error, 'OVERLOADED', what);
  assert.equal(answer.body.success, false, what);
  assert.ok(Number(answer.headers.get('retry-after')) >= 1, what);
  assert.doesNotMatch(JSON.stringify(answer.body), /ECONN|127\.0\.0\.1|postgres|select /i, what);
}

async function untilReady(): Promise<number> {
  const start = performance.now();
  while ((await app.get('/health/ready')).status !== 200) {
    assert.ok(performance.now() - start < 8000, 'not ready again within eight seconds');
    await wait(50);
  }
  return performance.now() - start;
}

/** Every call that needs the database, with what it would need to succeed. */
async function callsOf(
  person: Answer,
  apiKey: string,
  verification_id: string,
): Promise<[string, Promise<Answer>][]> {
  const token = person.body.access_token as string;
  return [
    ['send', app.post('/api/v1/auth/send-verification', { email: 'away@example.com' })],
    ['verify by handle', app.post('/api/v1/auth/verify-code', { verification_id, code: '123456' })],
    ['verify by address', app.post('/api/v1/auth/verify-code', { email: 'a@example.com', code: '123456' })],
    ['resend', app.post('/api/v1/auth/resend-otp', { email: 'away@example.com' })],
    ['refresh', app.post('/api/v1/auth/refresh', { refresh_token: person.body.refresh_token })],
    ['me', app.get('/api/v1/auth/me', { token })],
    ['patch me', app.request('PATCH', '/api/v1/auth/me', { first_name: 'A' }, { token })],
    ['devices', app.get('/api/v1/auth/devices', { token })],
    ['session', app.get('/api/v1/auth/session', { token })],
    ['check', app.get('/api/v1/auth/check', { token })],
    ['logout', app.post('/api/v1/auth/logout', {}, { token })],
    ['introspect', app.post('/api/v1/introspect', { token }, { headers: { 'x-api-key': apiKey } })],
    ['revoke', app.post('/api/v1/revoke', { token }, { headers: { 'x-api-key': apiKey } })],
    ['inbox', app.get('/dev/messages')],
  ];
}

for (const round of [1, 2]) {
  test(`R07 without its database the server says so and goes on living, and is well again by itself (${round})`, async () => {
    const person = await app.signIn({ email: `before${round}@example.com` });
    const token = person.body.access_token as string;
    const waiting = await app.post('/api/v1/auth/send-verification', { phone: `+1415555120${round}` });
    const code = await app.code(`+1415555120${round}`);
    const key = (await app.app.apiKeys.create({ tenantId: null, name: 'x', scopes: ['admin'] })).text;

    await Promise.all([control.cut(), uz.cut()]);
    const away = performance.now();
    for (const [what, call] of await callsOf(person, key, waiting.body.verification_id))
      isAway(await call, what);
    assert.ok(performance.now() - away < 5000, 'it answered at once');
    const ready = await app.get('/health/ready');
    assert.equal(ready.status, 503);
    assert.equal(ready.headers.get('retry-after'), '1');
    assert.equal((await app.get('/health/live')).status, 200);
    assert.equal((await app.get('/.well-known/jwks.json')).status, 200);
    assert.equal((await app.post('/api/v1/auth/send-verification', { phone: 1 })).status, 400);
    assert.equal((await app.get('/nowhere')).status, 404);
    assert.equal((await app.get('/api/v1/auth/session', { token: 'nonsense' })).body.error, 'TOKEN_INVALID');
    assert.equal((await app.get('/openapi.json')).status, 200);
    await wait(1000);

    await Promise.all([control.restore(), uz.restore()]);
    assert.ok((await untilReady()) < 5000);
    assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200, 'nobody was signed out');
    const proof = { verification_id: waiting.body.verification_id, code };
    assert.equal(
      (await app.post('/api/v1/auth/verify-code', proof)).status,
      201,
      'what was acknowledged is there',
    );
    const newcomer = await app.signIn({ email: `after${round}@example.com` });
    assert.equal(newcomer.status, 201);
    await app.post('/api/v1/auth/logout', { scope: 'all' }, { token });
    assert.equal((await app.get('/api/v1/auth/session', { token })).body.error, 'SESSION_ENDED');
  });
}

test('without the database of one market the others go on', async () => {
  await uz.cut();
  isAway(await app.post('/api/v1/auth/send-verification', { phone: '+998901111201' }), 'uz');
  assert.equal((await app.signIn({ phone: '+14155551203' })).status, 201);
  assert.equal((await app.signIn({ email: 'others@example.com' })).status, 201);
  assert.equal((await app.get('/health/ready')).status, 503);
  await uz.restore();
  await untilReady();
  assert.equal((await app.signIn({ phone: '+998901111201' })).status, 201);
});

test('R07 a session that ended while the server heard nothing is refused once it answers again', async () => {
  const { body } = await app.signIn({ email: 'missed@example.com' });
  const other = await app.signIn({ email: 'missed@example.com' });
  const token = body.access_token as string;
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
  await Promise.all([control.cut(), uz.cut()]);
  // Another server, whose way to the database still stands, ends both sessions.
  const direct = await app.replica({
    route: (address) => address,
  });
  try {
    const ended = await direct.post(
      '/api/v1/auth/logout',
      { scope: 'all' },
      { token: other.body.access_token },
    );
    assert.equal(ended.status, 200);
  } finally {
    await direct.close();
  }
  await Promise.all([control.restore(), uz.restore()]);
  await untilReady();
  const answer = await app.get('/api/v1/auth/session', { token });
  assert.equal(answer.body.error, 'SESSION_ENDED');
});

test('R07 a database that swallows everything without a word is an answer too, within seconds', async () => {
  const person = await app.signIn({ email: 'stalled@example.com' });
  // Whichever connections are open: a statement on one of them is never answered, on a new one never begun.
  await Promise.all(
    Array.from({ length: 12 }, () => app.get('/api/v1/auth/me', { token: person.body.access_token })),
  );
  control.stall();
  const start = performance.now();
  assert.equal((await app.get('/health/ready')).status, 503);
  assert.ok(performance.now() - start < 2500, 'readiness has a time-out of its own');
  assert.equal((await app.get('/health/live')).status, 200);
  const answers = await Promise.all([
    app.post('/api/v1/auth/send-verification', { email: 'stalled2@example.com' }),
    app.get('/api/v1/auth/me', { token: person.body.access_token }),
  ]);
  for (const answer of answers) isAway(answer, 'stalled');
  assert.ok(performance.now() - start < 20_000, `${performance.now() - start}`);
  await control.restore();
  await untilReady();
  assert.equal((await app.signIn({ email: 'stalled3@example.com' })).status, 201);
});
