import assert from 'node:assert/strict';
import { after, before as beforeAll, test } from 'node:test';
import { type Answer, createTestApp, type RequestOptions, type TestApp } from '../create-test-app.ts';
import { solve } from '../solve-challenge.ts';
import { wrongCode } from '../wrong-code.ts';

const AUTH = '/api/v1/auth';
const PASSWORD = 'violet-Harbour-42';
const HOUR = 3600;
/** Wrong codes of codes that anybody may ask for, before the next ones cost a challenge. */
const FREE = 20;
let app: TestApp;
let people = 0;
let networks = 0;

beforeAll(async () => {
  app = await createTestApp();
});
after(() => app.close());

const newEmail = (): string => `guessed-${++people}@example.com`;
const newCaller = (): string => `198.18.${++networks >> 8}.${networks & 255}`;

const solved = async (from: string): Promise<string> =>
  solve((await app.get(`${AUTH}/challenge`, { from })).body.challenge);

/** Asks for a code, with the work done if that is asked for. */
async function sendPaid(email: string, from = newCaller()): Promise<Answer> {
  const headers = { 'x-challenge-solution': await solved(from) };
  return app.post(`${AUTH}/send-verification`, { email }, { from, headers });
}

const send = (email: string, options: RequestOptions = {}): Promise<Answer> =>
  app.post(`${AUTH}/send-verification`, { email }, { from: newCaller(), ...options });

/** Types a wrong code under this handle. */
async function guess(email: string, sent: Answer, from = newCaller()): Promise<Answer> {
  const code = wrongCode(await app.code(email));
  return app.post(`${AUTH}/verify-code`, { verification_id: sent.body.verification_id, code }, { from });
}

async function budgetOf(email: string): Promise<{ closing: number; strangers: number }> {
  const [row] = await app.databases.control.sql<{ closing: number; strangers: number }[]>`
    select failures_in_a_row as closing, strangers_in_a_row as strangers from address_budgets where value = ${email}`;
  return { closing: row?.closing ?? -1, strangers: row?.strangers ?? -1 };
}

/** As a patient stranger leaves an address: the last free guesses are a day ago. */
async function guessedAt(email: string): Promise<void> {
  await app.databases.control.sql`
    insert into address_budgets (tenant_id, kind, value, taken_by, strangers_in_a_row)
    select id, 'email', ${email}, id, ${FREE} from tenants where slug = 'default'
    on conflict (tenant_id, kind, value) do update set strangers_in_a_row = ${FREE}, sent_at = '{}', failed_at = '{}'`;
}

function assertAsked(answer: Answer, what?: string): void {
  assert.deepEqual([answer.status, answer.body.error], [429, 'PROOF_OF_WORK_REQUIRED'], what);
  assert.equal(answer.body.next_action, 'SOLVE_CHALLENGE', what);
  assert.ok(answer.body.challenge.signature, what);
  assert.equal(answer.body.retry_after, undefined, 'waiting does not help, so nothing is told of it');
}

test('C11 a patient stranger who pays nothing never closes an address, and after twenty guesses gets no more codes', async () => {
  const email = newEmail();
  let compared = 0;
  for (let round = 0; round < 12 * 24; round++) {
    const sent = await send(email);
    for (let more = 0; more < 5 && sent.status === 200; more++) {
      if ((await guess(email, sent)).body.error === 'INVALID_CODE') compared++;
    }
    app.clock.advance(HOUR / 2);
    if (sent.body.error === 'PROOF_OF_WORK_REQUIRED' && round > 100) break;
  }
  assert.ok(compared >= FREE && compared < FREE + 10, `${compared} compared`);
  assert.deepEqual(await budgetOf(email), { closing: 0, strangers: compared });
  assertAsked(await send(email));
});

test('C11 whoever solves a challenge is sent a code, and its wrong ones count toward the hundred', async () => {
  const email = newEmail();
  await guessedAt(email);
  const asked = await send(email);
  assertAsked(asked);
  assert.match(asked.body.message, /wrong codes were typed for this address/);
  assert.equal(await app.newestMessage(email), undefined);
  const sent = await sendPaid(email);
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  await guess(email, sent);
  assert.deepEqual(await budgetOf(email), { closing: 1, strangers: FREE });
  await app.databases.control.sql`update address_budgets set failures_in_a_row = 99 where value = ${email}`;
  const hundredth = await guess(email, sent);
  assert.deepEqual([hundredth.body.error, hundredth.body.attempts_left], ['INVALID_CODE', 0]);
  app.clock.advance(25 * HOUR);
  const closed = await sendPaid(email);
  assert.deepEqual([closed.body.error, closed.body.next_action], ['TOO_MANY_ATTEMPTS', 'USE_ANOTHER_WAY']);
});

test('C11 also before that a solved challenge makes wrong codes count; one free among ninety-nine does not close', async () => {
  const email = newEmail();
  await guess(email, await sendPaid(email));
  assert.deepEqual(await budgetOf(email), { closing: 1, strangers: 0 });
  app.clock.advance(61);
  await app.databases.control.sql`update address_budgets set failures_in_a_row = 99 where value = ${email}`;
  const answer = await guess(email, await send(email));
  assert.equal(answer.body.error, 'INVALID_CODE');
  assert.ok(answer.body.attempts_left > 0, 'it has not closed');
  assert.deepEqual(await budgetOf(email), { closing: 99, strangers: 1 });
});

test('C11 a code that was paid for counts whoever guesses at it, so that nobody guesses for nothing beside it', async () => {
  const email = newEmail();
  await guessedAt(email);
  await sendPaid(email);
  const answer = await app.post(
    `${AUTH}/verify-code`,
    { email, code: wrongCode(await app.code(email)) },
    { from: newCaller() },
  );
  assert.equal(answer.body.error, 'INVALID_CODE');
  assert.equal((await budgetOf(email)).closing, 1);
});

test('C11 the owner solves it, signs in, and the address is in peace again', async () => {
  const { body } = await app.signIn({ email: newEmail() }, {}, { from: newCaller() });
  const email = body.user.email as string;
  await guessedAt(email);
  const before = await app.newestMessage(email);
  const sent = await sendPaid(email);
  const code = await app.code(email, { after: before });
  const done = await app.post(`${AUTH}/verify-code`, {
    verification_id: sent.body.verification_id,
    code,
  });
  assert.equal(done.status, 200, JSON.stringify(done.body));
  assert.deepEqual(await budgetOf(email), { closing: 0, strangers: 0 });
  assert.equal((await send(email)).status, 200, 'nobody is asked any more');
});

test('C11 a device token of the account is enough, and is counted; its network is not, and neither is another device', async () => {
  const home = newCaller();
  const owner = await app.signIn({ email: newEmail() }, {}, { from: home });
  const other = await app.signIn({ email: newEmail() }, {}, { from: newCaller() });
  const email = owner.body.user.email as string;
  await guessedAt(email);
  assertAsked(await send(email, { from: home }));
  const tokenOf = ({ body }: Answer) => ({ 'x-device-token': body.session.device_token as string });
  assertAsked(await send(email, { headers: tokenOf(other) }));
  const sent = await send(email, { headers: tokenOf(owner) });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  await guess(email, sent);
  assert.deepEqual(await budgetOf(email), { closing: 1, strangers: FREE });
});

test('C11 every way to a new code asks, signed in or not; a step-up to an own address does not', async () => {
  const owner = await app.signIn({ email: newEmail() }, {}, { from: newCaller() });
  const known = owner.body.user.email as string;
  const unknown = newEmail();
  const expired = newEmail();
  const waiting = newEmail();
  const { body: old } = await send(expired);
  await app.post(`${AUTH}/register`, { email: waiting, password: PASSWORD }, { from: newCaller() });
  app.clock.advance(600);
  const stranger = await app.signIn({ email: newEmail() }, {}, { from: newCaller() });
  for (const email of [known, unknown, expired, waiting]) await guessedAt(email);
  const calls: [string, object, RequestOptions?][] = [
    [`${AUTH}/send-verification`, { email: unknown }],
    [`${AUTH}/resend-otp`, { email: known }],
    [`${AUTH}/resend-otp`, { verification_id: old.verification_id }],
    [`${AUTH}/register`, { email: unknown, password: PASSWORD }],
    [`${AUTH}/forgot-password`, { email: known }],
    [`${AUTH}/identities`, { email: unknown }, { token: stranger.body.access_token }],
    ['/api/auth/register', { email: unknown, password: PASSWORD }],
    ['/api/auth/resend-otp', { email: waiting }],
    ['/api/auth/forgot-password', { email: known }],
  ];
  for (const [path, body, options] of calls) {
    assertAsked(
      await app.post(path, body, { from: newCaller(), ...options }),
      `${path} ${Object.keys(body)[0]}`,
    );
  }
  const from = newCaller();
  const login = { email: waiting, password: PASSWORD };
  const asked = await app.post(`${AUTH}/login`, login, { from });
  assert.deepEqual([asked.body.error, asked.body.next_action], ['ACCOUNT_NOT_VERIFIED', 'SOLVE_CHALLENGE']);
  assert.equal(asked.body.verification_id, undefined);
  const headers = { 'x-challenge-solution': await solve(asked.body.challenge) };
  const answer = await app.post(`${AUTH}/login`, login, { from, headers });
  assert.equal(answer.body.next_action, 'VERIFY_CODE');
  assert.equal(typeof answer.body.verification_id, 'string');

  const stepUp = await app.post(`${AUTH}/step-up`, {}, { token: owner.body.access_token });
  assert.equal(stepUp.status, 200, JSON.stringify(stepUp.body));
  const token = owner.body.access_token as string;
  const code = wrongCode(await app.code(known));
  await app.post(`${AUTH}/verify-code`, { verification_id: stepUp.body.verification_id, code }, { token });
  assert.equal((await budgetOf(known)).closing, 1, 'and is counted');
});

test('C11 it is asked for only where it leads somewhere, and tells nothing of who has an account', async () => {
  const { body } = await app.signIn({ email: newEmail() }, {}, { from: newCaller() });
  const emails = [body.user.email as string, newEmail()];
  for (const email of emails) {
    await guessedAt(email);
    await sendPaid(email);
    assert.equal((await send(email)).body.error, 'RESEND_TOO_SOON', 'inside the cool-down');
  }
  app.clock.advance(61);
  const answers = await Promise.all(emails.map((email) => send(email)));
  const [first, second] = answers.map(({ body: { challenge: _, ...told } }) => told);
  assert.deepEqual(first, second);
});

test('C11 where challenges are switched off every wrong code counts toward the hundred', async () => {
  const plain = await createTestApp({ env: { FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: '30' } });
  try {
    const email = newEmail();
    const sent = await plain.post(`${AUTH}/send-verification`, { email }, { from: newCaller() });
    await plain.databases.control
      .sql`update address_budgets set strangers_in_a_row = ${FREE} where value = ${email}`;
    const code = wrongCode(await plain.code(email));
    await plain.post(`${AUTH}/verify-code`, { verification_id: sent.body.verification_id, code });
    const [row] = await plain.databases.control.sql`
      select failures_in_a_row from address_budgets where value = ${email}`;
    assert.equal(row?.['failures_in_a_row'], 1);
    plain.clock.advance(61);
    assert.equal((await plain.post(`${AUTH}/send-verification`, { email })).status, 200);
  } finally {
    await plain.close();
  }
});
