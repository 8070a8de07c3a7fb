import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { newCaller, newEmail, resendPath, sendPath, start, verifyPath, wrongCodes } from './started.ts';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

let app: TestApp;
before(async () => {
  // Challenges would end the guessing sooner (C11); the hour, the day and the hundred hold by themselves.
  app = await createTestApp({ env: { FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: '30' } });
});
after(() => app.close());

/** One address in all the ways a person may write it, and where its rows are. */
interface Target {
  database: 'control' | 'us';
  value: string;
  spellings: readonly Record<string, string>[];
}

function emailTarget(): Target {
  const email = newEmail();
  const spellings = [email, email.toUpperCase(), `  ${email} `, email.replace('e', 'E')];
  return { database: 'control', value: email, spellings: spellings.map((text) => ({ email: text })) };
}

function phoneTarget(): Target {
  const spellings = [
    '+14155552671',
    '(415) 555-2671',
    '1 415 555 2671',
    '+1\u00a0415\u2010555\u20102671',
    '\uff14\uff11\uff15 555 2671',
  ];
  return {
    database: 'us',
    value: '+14155552671',
    spellings: spellings.map((phone) => ({ phone, tenant: 'us' })),
  };
}

async function comparedSoFar({ database, value }: Target): Promise<number> {
  const { sql } = app.databases.of(database === 'control' ? null : database);
  const [row] =
    await sql`select coalesce(sum(attempts), 0)::int as total from verifications where value = ${value}`;
  return row?.['total'] as number;
}

interface Compared {
  /** Seconds since the attack began. */
  at: number;
  count: number;
}

/**
 * What somebody does who wants as many guesses as can be had: asks for a code in another spelling each time, by
 * send and by resend, guesses five times by handle or by address alone, waits for the cool-down, begins again.
 */
async function attack(target: Target, rounds: number, pauseSeconds: number): Promise<Compared[]> {
  const compared: Compared[] = [];
  const startedAt = app.clock.now().getTime();
  let handle: string | undefined;
  let known = await comparedSoFar(target);
  for (let round = 0; round < rounds; round++) {
    const spelling = target.spellings[round % target.spellings.length] as Record<string, string>;
    const again = round % 3 === 1;
    const byHandle = again && round % 2 === 1 && handle !== undefined;
    const { tenant, ...address } = spelling;
    const asked = await app.post(
      again ? resendPath : sendPath,
      byHandle ? { verification_id: handle } : spelling,
      { from: newCaller() },
    );
    handle = (asked.body.verification_id as string | undefined) ?? handle;
    for (const [index, code] of wrongCodes(5).entries()) {
      const from = newCaller();
      const body =
        (round + index) % 2 === 0 && handle !== undefined
          ? { verification_id: handle, code }
          : { ...address, code, ...(tenant === undefined ? {} : { tenant }) };
      const answer = await app.post(verifyPath, body, { from });
      assert.ok([401, 404, 410, 429].includes(answer.status), JSON.stringify(answer.body));
      const total = await comparedSoFar(target);
      if (answer.body.error === 'INVALID_CODE') assert.ok(total > known, 'a comparison is counted');
      if (total > known) {
        compared.push({ at: (app.clock.now().getTime() - startedAt) / 1000, count: total - known });
      }
      known = total;
    }
    app.clock.advance(pauseSeconds);
  }
  return compared;
}

/** The most comparisons within any window of so many seconds. */
function most(compared: readonly Compared[], windowSeconds: number): number {
  const within = (end: number): number =>
    compared
      .filter(({ at }) => at > end - windowSeconds && at <= end)
      .reduce((sum, { count }) => sum + count, 0);
  return Math.max(0, ...compared.map(({ at }) => within(at)));
}

for (const [name, targetOf] of [
  ['an e-mail address', emailTarget],
  ['a phone', phoneTarget],
] as const) {
  test(`S02 forty codes and two hundred guesses in an hour give ten comparisons: ${name}`, async () => {
    const target = targetOf();
    const compared = await attack(target, 40, 61);
    assert.equal(most(compared, HOUR), 10, 'the budget is used up, and not passed');
    assert.equal(await comparedSoFar(target), 10);
    app.clock.advance(DAY);
  });
}

test('S02 a day of guessing gives twenty comparisons, in any hour ten', async () => {
  const target = emailTarget();
  const compared = await attack(target, 90, 21 * MINUTE);
  assert.equal(most(compared, DAY), 20);
  assert.ok(most(compared, HOUR) <= 10, `${most(compared, HOUR)} in an hour`);
});

test('S02 twenty a day holds where one guess is compared with three codes', async () => {
  const target = emailTarget();
  const compared: Compared[] = [];
  let known = 0;
  let seconds = 0;
  for (let hour = 0; hour < 6; hour++) {
    for (let send = 0; send < 3; send++) {
      await app.post(sendPath, { email: target.value }, { from: newCaller() });
      app.clock.advance(61);
      seconds += 61;
    }
    for (const code of wrongCodes(3)) {
      await app.post(verifyPath, { email: target.value, code });
      const total = await comparedSoFar(target);
      compared.push({ at: seconds, count: total - known });
      known = total;
    }
    app.clock.advance(HOUR);
    seconds += HOUR;
  }
  // The last three are kept for the holders of the three codes.
  assert.equal(most(compared, DAY), 17, compared.map(({ count }) => count).join());
});

test('S02 a hundred wrong codes in a row close the address, days apart or not', async () => {
  const email = newEmail();
  await start(app, email);
  await app.databases.control.sql`
    update address_budgets set failures_in_a_row = 98 where kind = 'email' and value = ${email}`;
  const outcomes: string[] = [];
  for (const code of wrongCodes(3)) outcomes.push((await app.post(verifyPath, { email, code })).body.error);
  assert.deepEqual(outcomes, ['INVALID_CODE', 'INVALID_CODE', 'TOO_MANY_ATTEMPTS']);
  app.clock.advance(8 * DAY);
  const later = await app.post(sendPath, { email }, { from: newCaller() });
  assert.equal(later.status, 429);
  assert.equal(later.body.next_action, 'USE_ANOTHER_WAY');
});

test('S02 a success gives the address its whole budget again, and no other address', async () => {
  const mine = newEmail();
  const other = newEmail();
  const first = await start(app, mine);
  const theirs = await start(app, other);
  for (const code of wrongCodes(4, first.code)) {
    await app.post(verifyPath, { verification_id: first.handle, code });
    await app.post(verifyPath, { verification_id: theirs.handle, code });
  }
  const proved = await app.post(verifyPath, { verification_id: first.handle, code: first.code });
  assert.equal(proved.status, 201);
  const target: Target = { database: 'control', value: mine, spellings: [{ email: mine }] };
  const before = await comparedSoFar(target);
  await attack(target, 12, 61);
  assert.equal((await comparedSoFar(target)) - before, 7, 'ten more, of which three are kept for the owner');
  const again = { verification_id: first.handle, code: '100000' };
  assert.equal((await app.post(verifyPath, again)).status, 404, 'a code that was used');
  const [row] = await app.databases.control.sql`
    select cardinality(failed_at)::int as failed from address_budgets where value = ${other}`;
  assert.equal(row?.['failed'], 4, 'the other address remembers its own');
});
