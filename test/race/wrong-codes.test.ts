import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { atOnce, tally } from './at-once.ts';
import { newCaller, newEmail, start, verifyPath, wrongCodes } from './started.ts';

let app: TestApp;
let replicas: readonly TestApp[];
before(async () => {
  app = await createTestApp();
  replicas = [app, await app.replica(), await app.replica()];
});
after(async () => {
  await Promise.all(replicas.slice(1).map((replica) => replica.close()));
  await app.close();
});

/** What the database says was compared for an address: on each of its verifications, and in its budget. */
async function compared(email: string): Promise<{ attempts: number[]; remembered: number }> {
  const { sql } = app.databases.control;
  const rows = await sql<{ attempts: number }[]>`
    select attempts::int from verifications where kind = 'email' and value = ${email} order by id`;
  const [budget] = await sql<{ remembered: number }[]>`
    select cardinality(failed_at) as remembered from address_budgets where kind = 'email' and value = ${email}`;
  return { attempts: rows.map((row) => row.attempts), remembered: budget?.remembered ?? 0 };
}

async function assertNoAccount(email: string): Promise<void> {
  const rows = await app.databases.control.sql`select from identities where value = ${email}`;
  assert.equal(rows.length, 0, 'no account was made');
}

test('S01 of 50 wrong codes at once five are compared, and the right one then is refused', async () => {
  for (let round = 0; round < 5; round++) {
    const { email, handle, code } = await start(app);
    const wrong = wrongCodes(50, code);
    const answers = await atOnce(
      wrong.map((guess) => ({ app, path: verifyPath, body: { verification_id: handle, code: guess } })),
    );
    assert.deepEqual(tally(answers), { '401 INVALID_CODE': 5, '429 TOO_MANY_ATTEMPTS': 45 });
    assert.deepEqual(await compared(email), { attempts: [5], remembered: 5 });
    const left = answers.filter((answer) => answer.status === 401).map((answer) => answer.body.attempts_left);
    assert.deepEqual(
      left.sort((one, other) => one - other),
      [0, 1, 2, 3, 4],
      'each answer tells another number of attempts left',
    );
    const late = await app.post(verifyPath, { verification_id: handle, code });
    assert.equal(late.status, 429, 'the right code is refused');
    assert.equal(late.body.error, 'TOO_MANY_ATTEMPTS');
    await assertNoAccount(email);
  }
});

test('S01 three servers together compare five codes and not more', async () => {
  for (let round = 0; round < 5; round++) {
    const { email, handle, code } = await start(app);
    const answers = await atOnce(
      wrongCodes(51, code).map((guess, index) => ({
        app: replicas[index % 3] as TestApp,
        path: verifyPath,
        body: { verification_id: handle, code: guess },
      })),
    );
    assert.deepEqual(tally(answers), { '401 INVALID_CODE': 5, '429 TOO_MANY_ATTEMPTS': 46 });
    assert.deepEqual(await compared(email), { attempts: [5], remembered: 5 });
    for (const replica of replicas) {
      const late = await replica.post(verifyPath, { verification_id: handle, code });
      assert.equal(late.status, 429);
    }
    await assertNoAccount(email);
  }
});

test('S01 a wrong code for an address counts for each of the three codes it was compared with', async () => {
  const email = newEmail();
  const started = [await start(app, email)];
  for (let more = 0; more < 2; more++) {
    app.clock.advance(61);
    started.push(await start(app, email));
  }
  const codes = started.map(({ code }) => code);
  const answers = await atOnce(
    wrongCodes(51, ...codes).map((guess, index) => ({
      app: replicas[index % 3] as TestApp,
      path: verifyPath,
      body: { email, code: guess },
      from: newCaller(),
    })),
  );
  const { attempts, remembered } = await compared(email);
  const total = attempts.reduce((sum, count) => sum + count, 0);
  assert.ok(Math.max(...attempts) <= 5, `five a code: ${attempts.join()}`);
  assert.equal(total, 7, 'ten an address, less one for each holder');
  assert.equal(remembered, total, 'each comparison was remembered');
  assert.equal(tally(answers)['401 INVALID_CODE'], 3, 'three, three and one');
  for (const { code } of started) {
    const late = await app.post(verifyPath, { email, code }, { from: newCaller() });
    assert.equal(late.status, 429, 'strangers by the address');
  }
  await assertNoAccount(email);
  const [first] = started;
  const owner = await app.post(verifyPath, { verification_id: first?.handle, code: first?.code });
  assert.equal(owner.status, 201, 'whoever holds the handle has two comparisons of its code left');
});
