import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';
import { setErrorDetail, writePeople } from './people.ts';

const PASSWORD = 'violet-Harbour-42';
const WRONG = 'amber-Lantern-77';
let app: TestApp;
let callers = 0;
const caller = (): { from: string } => ({ from: `198.51.100.${++callers}` });

before(async () => {
  app = await createTestApp({ tenants: { us: { error_detail: 'after_proof' } } });
});
after(() => app.close());

const post = (path: string, body: unknown, options = caller()): Promise<Answer> =>
  app.post(`/api/v1/auth/${path}`, body, options);

/** An account, a closed one, a waiting registration and nobody: addresses of one length. */
async function people(prefix: string): Promise<Record<'known' | 'closed' | 'waiting' | 'nobody', string>> {
  const names = {
    known: `${prefix}-kn`,
    closed: `${prefix}-cl`,
    waiting: `${prefix}-wt`,
    nobody: `${prefix}-no`,
  };
  const addresses = Object.fromEntries(
    Object.entries(names).map(([state, name]) => [state, `${name}@example.net`]),
  ) as Record<'known' | 'closed' | 'waiting' | 'nobody', string>;
  for (const email of [addresses.known, addresses.closed]) {
    await post('register', { email, password: PASSWORD });
    await post('verify-code', { email, code: await app.code(email) });
  }
  await app.databases.control.sql`
    update users set is_disabled = true where id = (select user_id from identities where value = ${addresses.closed})`;
  await post('register', { email: addresses.waiting, password: PASSWORD });
  app.clock.advance(61);
  return addresses;
}

/** What a stranger can see of an answer; handles, challenges and the address itself stand for themselves. */
function visible(answer: Answer, email: string): unknown {
  const headers = [...answer.headers]
    .filter(([name]) => name !== 'date')
    .map(([name, value]) => `${name}: ${value}`);
  const { verification_id: handle, ...body } = answer.body;
  // The random parts of a challenge are as long for everybody.
  const text = JSON.stringify(body)
    .replaceAll(email, '<address>')
    .replaceAll(/"(nonce|salt|signature)":"[0-9a-f]+"/g, '"$1":"<random>"');
  return {
    status: answer.status,
    headers,
    text,
    handle: typeof handle === 'string' ? handle.length : undefined,
  };
}

async function assertAlike(
  call: string,
  addresses: readonly string[],
  body: (email: string) => unknown,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const email of addresses) answers.push(await post(call, body(email)));
  const [first] = answers;
  assert.ok(first);
  for (const [index, answer] of answers.entries()) {
    assert.deepEqual(
      visible(answer, addresses[index] ?? ''),
      visible(first, addresses[0] ?? ''),
      `${call}: ${addresses[index]}`,
    );
  }
  return answers;
}

test('S22 uniform: sign-in, registration, recovery and their codes answer alike for everybody', async () => {
  await setErrorDetail(app, 'explicit');
  const addresses = await people('uni');
  await setErrorDetail(app, 'uniform');
  const all = Object.values(addresses);
  const mail = async (email: string): Promise<number> =>
    (await app.get(`/dev/messages?to=${encodeURIComponent(email)}`)).body.length;
  const before = await Promise.all(all.map(mail));

  // The first is answered with a handle, the second within the cool-down with how long that lasts.
  const [first] = await assertAlike('login', all, (email) => ({ email, password: WRONG }));
  assert.equal(first?.status, 401);
  assert.equal(first.body.error, 'INVALID_CREDENTIALS');
  assert.equal(typeof first.body.verification_id, 'string');
  await assertAlike('login', all, (email) => ({ email, password: WRONG }));
  await assertAlike('login', [addresses.closed, addresses.waiting], (email) => ({
    email,
    password: PASSWORD,
  }));

  app.clock.advance(61);
  const recoveries = await assertAlike('forgot-password', all, (email) => ({ email }));
  assert.equal(recoveries[0]?.status, 200);
  await assertAlike('forgot-password', all, (email) => ({ email }));

  app.clock.advance(61);
  const registered = await assertAlike('register', all, (email) => ({ email, password: WRONG }));
  assert.equal(registered[0]?.status, 202);
  await assertAlike('register', all, (email) => ({ email, password: WRONG }));

  app.clock.advance(121);
  const handles = recoveries.map((answer) => answer.body.verification_id as string);
  const checks = await Promise.all(
    handles.map((handle) => post('verify-code', { verification_id: handle, code: '000000' })),
  );
  assert.deepEqual(
    checks.map(({ status, body }) => [status, body.error, body.attempts_left]),
    checks.map(() => [401, 'INVALID_CODE', 4]),
  );
  const resent = await Promise.all(handles.map((handle) => post('resend-otp', { verification_id: handle })));
  assert.deepEqual(new Set(resent.map(({ status }) => status)).size, 1);

  // Nobody is written to but who has a reason to be; the owner of a taken address is told of the attempt.
  await app.app.worker.dispatch();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const after = await Promise.all(all.map(mail));
  const grown = after.map((count, index) => count - (before[index] ?? 0));
  assert.ok((grown[0] ?? 0) >= 2, 'known: recovery and notice');
  assert.equal(grown[3], 1, 'nobody: the code of a registration, and nothing before it');
});

test('S22 a decoy matches no code, counts as any other, and makes no account', async () => {
  await setErrorDetail(app, 'uniform');
  const email = 'decoy@example.net';
  const { body } = await post('forgot-password', { email });
  const [row] = await app.databases.control.sql`
    select is_decoy, code_sealed from verifications where value = ${email}`;
  assert.deepEqual({ ...row }, { is_decoy: true, code_sealed: null });
  for (let left = 4; left >= 0; left--) {
    const answer = await post('verify-code', { verification_id: body.verification_id, code: `00000${left}` });
    assert.equal(answer.body.attempts_left, left);
  }
  const dead = await post('verify-code', { verification_id: body.verification_id, code: '123456' });
  assert.equal(dead.body.error, 'TOO_MANY_ATTEMPTS');
  app.clock.advance(3601);
  assert.equal((await post('forgot-password', { email })).status, 200);
  const messages = await app.databases.control.sql`
    select state, payload_sealed from messages where template = 'forgot_password' order by id desc limit 2`;
  assert.deepEqual(
    messages.map((message) => ({ ...message })),
    [
      { state: 'abandoned', payload_sealed: null },
      { state: 'abandoned', payload_sealed: null },
    ],
  );
});

test('S22 uniform: the right password of a waiting registration still leads on, by a code that comes', async () => {
  await setErrorDetail(app, 'uniform');
  const email = 'led-on@example.net';
  await post('register', { email, password: PASSWORD });
  const code = await app.code(email);
  app.clock.advance(61);
  const answer = await post('login', { email, password: PASSWORD });
  assert.equal(answer.body.error, 'INVALID_CREDENTIALS');
  const fresh = await app.code(email, { not: code });
  const verified = await post('verify-code', { verification_id: answer.body.verification_id, code: fresh });
  assert.equal(verified.status, 201);
  assert.equal((await post('login', { email, password: PASSWORD })).status, 200);
});

test('S22 after_proof: the case is named to whoever typed the right password, and to nobody else', async () => {
  await setErrorDetail(app, 'explicit');
  const addresses = await people('aft');
  await setErrorDetail(app, 'after_proof');
  await assertAlike('login', Object.values(addresses), (email) => ({ email, password: WRONG }));
  app.clock.advance(61);
  const waiting = await post('login', { email: addresses.waiting, password: PASSWORD });
  assert.equal(waiting.body.error, 'ACCOUNT_NOT_VERIFIED');
  const closed = await post('login', { email: addresses.closed, password: PASSWORD });
  assert.equal(closed.body.error, 'ACCOUNT_DISABLED');
  assert.equal((await post('login', { email: addresses.known, password: PASSWORD })).status, 200);
});

test('S22 explicit: ten answers an hour for one caller, then the uniform one', async () => {
  await setErrorDetail(app, 'explicit');
  const addresses = await people('exp');
  const one = caller();
  for (let index = 0; index < 10; index++) {
    const answer = await post('login', { email: `absent${index}@example.net`, password: WRONG }, one);
    assert.equal(answer.body.error, 'ACCOUNT_NOT_FOUND');
  }
  const past = await post('login', { email: addresses.nobody, password: WRONG }, one);
  const known = await post('login', { email: addresses.known, password: WRONG }, one);
  assert.equal(past.status, 401);
  assert.deepEqual(visible(known, addresses.known), visible(past, addresses.nobody));
  const registered = await post('register', { email: addresses.known, password: WRONG }, one);
  assert.equal(registered.status, 202, 'no ALREADY_REGISTERED any more');
  const other = await post('login', { email: 'absent@example.net', password: WRONG });
  assert.equal(other.body.error, 'ACCOUNT_NOT_FOUND', 'another caller has a budget of its own');
  app.clock.advance(3601);
  const later = await post('login', { email: 'absent@example.net', password: WRONG }, one);
  assert.equal(later.body.error, 'ACCOUNT_NOT_FOUND');
});

test('S22 uniform: a username tells nothing of the address behind it, not even that a code went there a moment ago', async () => {
  await setErrorDetail(app, 'uniform');
  const { sql } = app.databases.control;
  const email = 'behind-a-name@example.net';
  await writePeople(app, 'imported', [email]);
  await sql`update users set username = 'behind' where id = (select user_id from identities where value = ${email})`;
  const from = '198.51.100.181';
  const sent = await app.post('/api/v1/auth/send-verification', { email }, { from });
  assert.equal(sent.status, 200);
  const shapes = new Set<string>();
  for (const username of ['behind', 'nobody-at-all']) {
    const { status, body } = await app.post('/api/v1/auth/login', { username, password: WRONG }, { from });
    const { verification_id: handle, ...rest } = body;
    shapes.add(JSON.stringify([status, typeof handle, rest]));
  }
  assert.equal(shapes.size, 1, [...shapes].join(' NOT '));
});
