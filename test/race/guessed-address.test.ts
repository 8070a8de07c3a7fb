import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { solve } from '../solve-challenge.ts';
import { atOnce, tally } from './at-once.ts';
import { newCaller, newEmail, sendPath, start, verifyPath, wrongCodes } from './started.ts';

let app: TestApp;
let replica: TestApp;
before(async () => {
  app = await createTestApp();
  replica = await app.replica();
});
after(async () => {
  await replica.close();
  await app.close();
});

const server = (index: number): TestApp => (index % 2 === 0 ? app : replica);

test('C11 of many guesses at once, over two servers, each that is compared counts once, as free or as paid', async () => {
  for (const paid of [false, true]) {
    const { email, handle, code } = await start(app, newEmail(), paid);
    const answers = await atOnce(
      wrongCodes(20, code).map((wrong, index) => ({
        app: server(index),
        path: verifyPath,
        body: { verification_id: handle, code: wrong },
        from: newCaller(),
      })),
    );
    assert.equal(tally(answers)['401 INVALID_CODE'], 5);
    const [row] = await app.databases.control.sql`
      select failures_in_a_row, strangers_in_a_row from address_budgets where value = ${email}`;
    const expected = paid ? [5, 0] : [0, 5];
    assert.deepEqual([row?.['failures_in_a_row'], row?.['strangers_in_a_row']], expected);
  }
});

test('C11 of many sends at once to an address that was guessed at none goes out for nothing, and one for one solution', async () => {
  const email = newEmail();
  await start(app, email);
  app.clock.advance(61);
  await app.databases.control.sql`update address_budgets set strangers_in_a_row = 20 where value = ${email}`;
  const sends = async (headers: (index: number) => Record<string, string>, from: () => string) =>
    tally(
      await atOnce(
        Array.from({ length: 12 }, (_, index) => ({
          app: server(index),
          path: sendPath,
          body: { email },
          from: from(),
          headers: headers(index),
        })),
      ),
    );
  assert.deepEqual(await sends(() => ({}), newCaller), { '429 PROOF_OF_WORK_REQUIRED': 12 });
  const from = newCaller();
  const { body } = await app.get('/api/v1/auth/challenge', { from });
  const solution = await solve(body.challenge);
  const paid = await sends(
    () => ({ 'x-challenge-solution': solution }),
    () => from,
  );
  assert.equal(paid['200'], 1, JSON.stringify(paid));
});
