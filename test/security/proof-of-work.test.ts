import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';
import { solve } from '../solve-challenge.ts';
import { wrongCode } from '../wrong-code.ts';

const AUTH = '/api/v1/auth';
const PASSWORD = 'violet-Harbour-42';
const FREE = 2;
const MOST = 5;
let app: TestApp;
let people = 0;
let networks = 0;

before(async () => {
  app = await createTestApp({
    env: {
      FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: String(FREE),
      FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: String(MOST),
      FIRSTPROOF_EXPLICIT_ANSWERS_PER_CALLER_PER_HOUR: '1',
    },
  });
});
after(() => app.close());

const newEmail = (): string => `walker-${++people}@example.com`;
const newCaller = (): string => `203.0.113.${++networks}`;

function post(path: string, body: unknown, from: string, solution?: string): Promise<Answer> {
  const headers: Record<string, string> = solution === undefined ? {} : { 'x-challenge-solution': solution };
  return app.post(path, body, { from, headers });
}

const send = (from: string, solution?: string, email = newEmail()): Promise<Answer> =>
  post(`${AUTH}/send-verification`, { email }, from, solution);

/** A network that has had its free sends. */
async function busyCaller(): Promise<string> {
  const from = newCaller();
  for (let sent = 0; sent < FREE; sent++) assert.equal((await send(from)).status, 200);
  return from;
}

async function challengeOf(from: string): Promise<{ parameters: Record<string, never>; signature: string }> {
  return (await app.get(`${AUTH}/challenge`, { from })).body.challenge;
}

const solved = async (from: string): Promise<string> => solve(await challengeOf(from));

function assertAsked(answer: Answer): void {
  assert.equal(answer.status, 429, JSON.stringify(answer.body));
  assert.equal(answer.body.error, 'PROOF_OF_WORK_REQUIRED');
  assert.equal(answer.body.next_action, 'SOLVE_CHALLENGE');
  assert.equal(answer.headers.get('retry-after'), String(answer.body.retry_after));
  assert.ok(answer.body.challenge.signature);
}

test('C1 past its free sends a caller is asked for work, sends with it, and never past its hour', async () => {
  const from = await busyCaller();
  for (let more = 0; more < MOST - FREE; more++) {
    const asked = await send(from);
    assertAsked(asked);
    assert.equal(asked.body.expires_in, 300);
    assert.ok(asked.body.retry_after > 3500 && asked.body.retry_after <= 3600);
    const answer = await send(from, await solve(asked.body.challenge));
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
  const refused = await send(from, await solved(from));
  assert.deepEqual([refused.status, refused.body.error], [429, 'RATE_LIMITED']);
  assert.equal(
    (await send(from)).body.error,
    'RATE_LIMITED',
    'work is asked for only where it leads somewhere',
  );
  assert.equal((await send(newCaller())).status, 200, 'another network is not asked');
  app.clock.advance(3601);
  assert.equal((await send(from)).status, 200, 'a new hour');
});

test('C1 a solution counts once, for its caller, unchanged and in time', async () => {
  const from = await busyCaller();
  const used = await solved(from);
  assert.equal((await send(from, used)).status, 200);
  assertAsked(await send(from, used));
  assertAsked(await send(from, await solved(newCaller())));

  const challenge = await challengeOf(from);
  const easier = { ...challenge, parameters: { ...challenge.parameters, cost: 1 } };
  assertAsked(await send(from, await solve(easier)));
  const { parameters } = challenge;
  const unsigned = { parameters, signature: '0'.repeat(64) };
  assertAsked(await send(from, await solve(unsigned)));
  const guessed = { challenge, solution: { counter: 0, derivedKey: `00${'ab'.repeat(31)}` } };
  assertAsked(await send(from, Buffer.from(JSON.stringify(guessed)).toString('base64')));
  for (const nonsense of ['x', 'bnVsbA==', Buffer.from('{"challenge":{}}').toString('base64')]) {
    assertAsked(await send(from, nonsense));
  }

  const late = await solved(from);
  app.clock.advance(300);
  assertAsked(await send(from, late));
  assert.equal((await send(from, await solved(from))).status, 200, 'none of it has cost the caller a send');
});

test('C1 the work doubles with what a caller has solved, and easy challenges cannot be hoarded', async () => {
  const eager = await createTestApp({ env: { FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: '0' } });
  try {
    const from = newCaller();
    const read = async () => (await eager.get(`${AUTH}/challenge`, { from })).body.challenge;
    const hoarded = await solve(await read());
    const costs: number[] = [];
    const sendSolved = async (solution: string): Promise<Answer> =>
      eager.post(
        `${AUTH}/send-verification`,
        { email: newEmail() },
        { from, headers: { 'x-challenge-solution': solution } },
      );
    for (let sent = 0; sent < 7; sent++) {
      const challenge = await read();
      costs.push(challenge.parameters.cost);
      assert.equal((await sendSolved(await solve(challenge))).status, 200);
    }
    assert.deepEqual(costs, [2000, 2000, 2000, 4000, 4000, 4000, 8000]);
    assert.equal((await sendSolved(hoarded)).body.error, 'PROOF_OF_WORK_REQUIRED');
  } finally {
    await eager.close();
  }
});

test('C1 every way to have something sent asks, in both dialects', async () => {
  const from = await busyCaller();
  const known = newEmail();
  const handle = (await send(newCaller(), undefined, known)).body.verification_id;
  await app.post(`${AUTH}/verify-code`, { verification_id: handle, code: await app.code(known) });
  const waiting = newEmail();
  const registered = await post(`${AUTH}/register`, { email: waiting, password: PASSWORD }, newCaller());
  app.clock.advance(61);
  const calls: [string, unknown][] = [
    [`${AUTH}/send-verification`, { email: newEmail() }],
    [`${AUTH}/resend-otp`, { verification_id: registered.body.verification_id }],
    [`${AUTH}/resend-otp`, { email: known }],
    [`${AUTH}/register`, { email: newEmail(), password: PASSWORD }],
    [`${AUTH}/forgot-password`, { email: known }],
    ['/api/auth/register', { email: newEmail(), password: PASSWORD }],
    ['/api/auth/resend-otp', { email: waiting }],
    ['/api/auth/forgot-password', { email: known }],
  ];
  for (const [path, body] of calls) {
    const asked = await post(path, body, from);
    assert.equal(asked.body.error, 'PROOF_OF_WORK_REQUIRED', path);
    assert.ok(asked.body.challenge, path);
  }
  const links = newCaller();
  for (let begun = 0; begun < FREE; begun++) {
    assert.equal((await post(`${AUTH}/telegram/links`, {}, links)).status, 200);
  }
  assertAsked(await post(`${AUTH}/telegram/links`, {}, links));
  assert.equal((await post(`${AUTH}/telegram/links`, {}, links, await solved(links))).status, 200);
});

test('C1 a sign-in past the free resends answers as ever, sends nothing, and sends once the work is done', async () => {
  const from = newCaller();
  const register = async (): Promise<string> => {
    const email = newEmail();
    assert.equal((await post(`${AUTH}/register`, { email, password: PASSWORD }, newCaller())).status, 202);
    return email;
  };
  const emails = [await register(), await register(), await register()];
  app.clock.advance(61);
  const login = (email: string | undefined, solution?: string) =>
    post(`${AUTH}/login`, { email, password: PASSWORD }, from, solution);
  for (const email of emails.slice(0, FREE)) {
    assert.equal(typeof (await login(email)).body.verification_id, 'string');
  }
  const [, , last] = emails;
  const before = await app.newestMessage(last ?? '');
  const asked = await login(last);
  assert.deepEqual([asked.status, asked.body.error], [401, 'ACCOUNT_NOT_VERIFIED']);
  assert.equal(asked.body.next_action, 'SOLVE_CHALLENGE');
  assert.equal(asked.body.verification_id, undefined);
  const answer = await login(last, await solve(asked.body.challenge));
  assert.equal(answer.body.next_action, 'VERIFY_CODE');
  assert.equal(typeof answer.body.verification_id, 'string');
  assert.ok(await app.code(last ?? '', { after: before }));
});

test('C1 past the explicit answers a sign-in is told nothing but a challenge; solved, it is told once more', async () => {
  const from = newCaller();
  const login = (solution?: string) =>
    post(`${AUTH}/login`, { email: newEmail(), password: PASSWORD }, from, solution);
  assert.equal((await login()).body.error, 'ACCOUNT_NOT_FOUND');
  const past = await login();
  assert.deepEqual([past.status, past.body.error], [401, 'INVALID_CREDENTIALS']);
  assert.ok(past.body.challenge.signature);
  assert.equal((await login(await solve(past.body.challenge))).body.error, 'ACCOUNT_NOT_FOUND');
  const more = await login(await solved(from));
  assert.equal(more.body.error, 'INVALID_CREDENTIALS', 'as many again as were free, which is one here');
});

test('C11 wrong codes under a challenge that was not solved close the address for the hour, not for good', async () => {
  const email = newEmail();
  await post(`${AUTH}/register`, { email, password: PASSWORD }, newCaller());
  app.clock.advance(61);
  const from = newCaller();
  const nobody = { email: newEmail(), password: PASSWORD };
  assert.equal((await post(`${AUTH}/login`, nobody, from)).body.error, 'ACCOUNT_NOT_FOUND');
  const before = await app.newestMessage(email);
  const begun = await post(`${AUTH}/login`, { email, password: 'amber-Lantern-77' }, from);
  assert.equal(begun.body.error, 'INVALID_CREDENTIALS');
  const verification_id = begun.body.verification_id as string;
  const code = wrongCode(await app.code(email, { after: before }));
  assert.equal(
    (await post(`${AUTH}/verify-code`, { verification_id, code }, from)).body.error,
    'INVALID_CODE',
  );
  const [row] = await app.databases.control.sql<{ failed: number; failures_in_a_row: number }[]>`
    select cardinality(failed_at) as failed, failures_in_a_row from address_budgets where value = ${email}`;
  assert.deepEqual(row, { failed: 1, failures_in_a_row: 0 });
});

test('who is signed in is asked for nothing', async () => {
  const from = newCaller();
  const email = newEmail();
  const { body } = await app.signIn({ email }, {}, { from });
  for (let sent = 1; sent < MOST; sent++) {
    app.clock.advance(61);
    const answer = await app.post(
      `${AUTH}/identities`,
      { email: newEmail() },
      { from, token: body.access_token },
    );
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
});

test('a challenge may be read ahead, and tells whether it will be wanted', async () => {
  const from = newCaller();
  const first = await app.get(`${AUTH}/challenge`, { from });
  assert.equal(first.status, 200);
  assert.deepEqual([first.body.success, first.body.required, first.body.expires_in], [true, false, 300]);
  assert.equal(first.body.captcha, undefined);
  for (let sent = 0; sent < FREE; sent++) await send(from);
  assert.equal((await app.get(`${AUTH}/challenge`, { from })).body.required, true);
});
