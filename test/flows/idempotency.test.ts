import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type RequestOptions, type TestApp } from '../create-test-app.ts';
import { wrongCode } from '../wrong-code.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp();
});
after(() => app.close());

const V1 = '/api/v1/auth';
let counter = 0;
const newEmail = (): string => `again${++counter}@example.com`;
const newCaller = (): string => `198.51.100.${++counter}`;

function post(path: string, body: unknown, key: string, more: RequestOptions = {}): Promise<Answer> {
  return app.post(path, body, { ...more, headers: { ...more.headers, 'idempotency-key': key } });
}

const isReplay = (answer: Answer): boolean => answer.headers.get('idempotency-replayed') === 'true';

/** The first answer was made, the second one is the same by key. */
function assertReplayed(first: Answer, second: Answer): void {
  assert.ok(!isReplay(first));
  assert.ok(isReplay(second), JSON.stringify(second.body));
  assert.equal(second.status, first.status);
  assert.deepEqual(second.body, first.body);
  assert.equal(second.headers.get('content-type'), first.headers.get('content-type'));
  assert.equal(second.headers.get('www-authenticate'), first.headers.get('www-authenticate'));
}

/** Every call that heeds the key, with a request that succeeds once. */
const CALLS: readonly [string, () => Promise<{ body: Record<string, unknown>; from: string }>][] = [
  [`${V1}/send-verification`, async () => ({ body: { email: newEmail() }, from: newCaller() })],
  [`${V1}/register`, async () => ({ body: { email: newEmail(), password: PASSWORD }, from: newCaller() })],
  [
    '/api/auth/register',
    async () => ({ body: { email: newEmail(), password: PASSWORD }, from: newCaller() }),
  ],
  [`${V1}/resend-otp`, async () => waitingToBeResent()],
  ['/api/auth/resend-otp', async () => waitingToBeResent()],
  [`${V1}/verify-code`, async () => waitingToBeProved('verification_code')],
  ['/api/auth/verify-otp', async () => waitingToBeProved('otp')],
  [
    `${V1}/login`,
    async () => ({ body: { email: await registered(), password: PASSWORD }, from: newCaller() }),
  ],
  [
    '/api/auth/login',
    async () => ({ body: { email: await registered(), password: PASSWORD }, from: newCaller() }),
  ],
  [`${V1}/forgot-password`, async () => ({ body: { email: await registered() }, from: newCaller() })],
  ['/api/auth/forgot-password', async () => ({ body: { email: await registered() }, from: newCaller() })],
];
const PASSWORD = 'a long and quiet river 7';

async function waitingToBeResent() {
  const from = newCaller();
  const sent = await app.post(`${V1}/send-verification`, { email: newEmail() }, { from });
  app.clock.advance(61);
  return { body: { verification_id: sent.body.verification_id }, from };
}

async function waitingToBeProved(field: string) {
  const from = newCaller();
  const email = newEmail();
  const sent = await app.post(`${V1}/send-verification`, { email }, { from });
  return { body: { verification_id: sent.body.verification_id, [field]: await app.code(email) }, from };
}

async function registered(): Promise<string> {
  const from = newCaller();
  const email = newEmail();
  const { body } = await app.post(`${V1}/register`, { email, password: PASSWORD }, { from });
  const code = await app.code(email);
  await app.post(`${V1}/verify-code`, { verification_id: body.verification_id, code }, { from });
  return email;
}

test('R02 each sending and proving call is answered the same again by its key, and not done again', async () => {
  const { sql } = app.databases.control;
  const rows = async (): Promise<unknown> =>
    (
      await sql`select (select count(*)::int from messages) as messages, (select count(*)::int from sessions) as sessions,
        (select count(*)::int from verifications) as verifications, (select count(*)::int from audit_events) as events`
    )[0];
  for (const [path, prepare] of CALLS) {
    const { body, from } = await prepare();
    const key = randomUUID();
    const first = await post(path, body, key, { from });
    assert.ok(first.status < 300, `${path}: ${JSON.stringify(first.body)}`);
    const before = await rows();
    // Fields in another order are the same request; so is the key in the quotes of the draft.
    const reordered = Object.fromEntries(Object.entries(body).reverse());
    assertReplayed(first, await post(path, body, key, { from }));
    assertReplayed(first, await post(path, reordered, `"${key}"`, { from }));
    assert.deepEqual(await rows(), before, path);
    const changed = await post(path, { ...body, tenant: 'default' }, key, { from });
    assert.deepEqual([changed.status, changed.body.error], [422, 'IDEMPOTENCY_KEY_REUSED'], path);
  }
});

test('R02 a day later the key is free, and what was kept is removed', async () => {
  const body = { email: newEmail() };
  const from = newCaller();
  const key = randomUUID();
  const first = await post(`${V1}/send-verification`, body, key, { from });
  app.clock.advance(86_399);
  assertReplayed(first, await post(`${V1}/send-verification`, body, key, { from }));
  app.clock.advance(1);
  await app.app.worker.sweep();
  const [row] = await app.databases.control.sql`select count(*)::int as count from idempotent_requests`;
  assert.equal(row?.['count'], 0);
  const later = await post(`${V1}/send-verification`, body, key, { from });
  assert.equal(later.status, 200);
  assert.ok(!isReplay(later));
  assert.notEqual(later.body.verification_id, first.body.verification_id);
});

test('R02 a wrong code or password is counted once for all repeats of its key', async () => {
  const from = newCaller();
  const email = newEmail();
  const sent = await app.post(`${V1}/send-verification`, { email }, { from });
  const { verification_id } = sent.body;
  const code = await app.code(email);
  const key = randomUUID();
  const wrong = { verification_id, code: wrongCode(code) };
  const first = await post(`${V1}/verify-code`, wrong, key, { from });
  assert.deepEqual([first.status, first.body.attempts_left], [401, 4]);
  for (let repeat = 0; repeat < 6; repeat++) {
    assertReplayed(first, await post(`${V1}/verify-code`, wrong, key, { from }));
  }
  const next = await post(`${V1}/verify-code`, wrong, randomUUID(), { from });
  assert.equal(next.body.attempts_left, 3);
  assert.equal((await app.post(`${V1}/verify-code`, { verification_id, code }, { from })).status, 201);
});

test('R02 after a refusal that changed nothing the key is free: who waits as told is not refused for a day', async () => {
  const from = newCaller();
  const body = { email: newEmail() };
  await app.post(`${V1}/send-verification`, body, { from });
  const key = randomUUID();
  const early = await post(`${V1}/send-verification`, body, key, { from });
  assert.equal(early.body.error, 'RESEND_TOO_SOON');
  app.clock.advance(early.body.retry_after);
  const later = await post(`${V1}/send-verification`, body, key, { from });
  assert.equal(later.status, 200);
  assert.ok(!isReplay(later));
});

test('R02 one caller never reads what another was answered: other network, token, device, tenant or route', async () => {
  const email = newEmail();
  const from = newCaller();
  const key = 'a key that anybody could guess'.replaceAll(' ', '-');
  const sent = await app.post(`${V1}/send-verification`, { email }, { from });
  const proof = { verification_id: sent.body.verification_id, code: await app.code(email) };
  const signedIn = await post(`${V1}/verify-code`, proof, key, { from });
  assert.equal(signedIn.status, 201);
  const others: [string, RequestOptions][] = [
    [`${V1}/verify-code`, { from: newCaller() }],
    [`${V1}/verify-code`, { from, token: 'somebody' }],
    [`${V1}/verify-code`, { from, headers: { 'x-device-token': signedIn.body.session.device_token } }],
    [`${V1}/verify-code`, { from, headers: { 'x-tenant': 'us' } }],
    ['/api/auth/verify-otp', { from }],
  ];
  for (const [path, options] of others) {
    const answer = await post(path, proof, key, options);
    assert.equal(answer.body.error, 'VERIFICATION_NOT_FOUND', JSON.stringify([path, options, answer.body]));
    assert.ok(!isReplay(answer));
  }
  assertReplayed(signedIn, await post(`${V1}/verify-code`, proof, key, { from }));
});

test('R02 a device that shows its token is the same caller in another network', async () => {
  const person = await app.signIn({ email: newEmail() }, {}, { from: newCaller() });
  const headers = { 'x-device-token': person.body.session.device_token as string };
  const body = { email: newEmail() };
  const key = randomUUID();
  const first = await post(`${V1}/send-verification`, body, key, { from: newCaller(), headers });
  assertReplayed(first, await post(`${V1}/send-verification`, body, key, { from: newCaller(), headers }));
});

test('R02 a key that is none is refused, and where no key is heeded it is ignored', async () => {
  for (const key of ['', ' ', 'two words', 'x'.repeat(256), '"open', '"in"side"', 'café']) {
    const answer = await post(`${V1}/send-verification`, { email: newEmail() }, key, { from: newCaller() });
    assert.deepEqual([answer.status, answer.body.issues?.[0].path], [400, 'header:idempotency-key'], key);
  }
  const { body } = await app.signIn({ email: newEmail() }, {}, { from: newCaller() });
  const token = body.access_token as string;
  const options = { token, headers: { 'idempotency-key': 'two words' } };
  assert.equal((await app.get(`${V1}/me`, options)).status, 200);
});

test('R02 what is kept is sealed: no token, handle, address or key in the table', async () => {
  const email = newEmail();
  const from = newCaller();
  const key = randomUUID();
  const sent = await post(`${V1}/send-verification`, { email }, key, { from });
  const proof = { verification_id: sent.body.verification_id, code: await app.code(email) };
  const { body } = await post(`${V1}/verify-code`, proof, key, { from });
  const rows = await app.databases.control.sql<{ text: string; raw: Uint8Array }[]>`
    select t::text as text, answer_sealed as raw from idempotent_requests t`;
  const whole = rows.map(({ text, raw }) => text + Buffer.from(raw ?? []).toString('latin1')).join('\n');
  for (const secret of [key, email, sent.body.verification_id, body.access_token, body.refresh_token]) {
    assert.ok(!whole.includes(secret as string), secret as string);
    assert.ok(!whole.includes(Buffer.from(secret as string).toString('hex')), secret as string);
  }
});

test('R02 the answer is found again after the secret was rotated', async () => {
  const body = { email: newEmail() };
  const from = newCaller();
  const key = randomUUID();
  const first = await post(`${V1}/send-verification`, body, key, { from });
  const rotated = await app.replica({ secrets: ['another secret of at least thirty-two bytes!'] });
  try {
    const headers = { 'idempotency-key': key };
    assertReplayed(first, await rotated.post(`${V1}/send-verification`, body, { from, headers }));
  } finally {
    await rotated.close();
  }
});

test('R02 one network makes so many keys and no more', async () => {
  const from = newCaller();
  const answers = await Promise.all(
    Array.from({ length: 90 }, () =>
      post(`${V1}/verify-code`, { verification_id: 'nobody', code: '123456' }, randomUUID(), { from }),
    ),
  );
  const limited = answers.filter(({ body }) => body.error === 'RATE_LIMITED');
  assert.ok(limited.length > 0 && limited.length <= 30, `${limited.length} of 90`);
  assert.ok(limited.every(({ headers }) => Number(headers.get('retry-after')) >= 1));
  const plain = { verification_id: 'nobody', code: '123456' };
  assert.equal((await app.post(`${V1}/verify-code`, plain, { from })).status, 404, 'without a key');
});
