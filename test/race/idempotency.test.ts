import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { atOnce, type RacingAnswer, tally } from './at-once.ts';
import { newCaller, newEmail, sendPath, start, verifyPath } from './started.ts';

let app: TestApp;
let replicas: readonly TestApp[];
before(async () => {
  app = await createTestApp();
  replicas = [app, await app.replica()];
});
after(async () => {
  await replicas[1]?.close();
  await app.close();
});

/** The same request twenty times at once over two servers, under one key. */
function twenty(path: string, body: unknown, from: string, key: string): Promise<RacingAnswer[]> {
  return atOnce(
    Array.from({ length: 20 }, (_, index) => ({
      app: replicas[index % 2] as TestApp,
      path,
      body,
      from,
      headers: { 'idempotency-key': key },
    })),
  );
}

/** Some were answered, all with the same words; the others were told to wait. */
function assertOneAnswer(answers: readonly RacingAnswer[], status: number): void {
  const { [status]: answered = 0, '409 IDEMPOTENCY_KEY_IN_USE': waiting = 0 } = tally(answers);
  assert.equal(answered + waiting, 20, JSON.stringify(tally(answers)));
  const bodies = new Set(answers.filter((answer) => answer.status === status).map(({ body }) => body));
  const [first, ...others] = bodies;
  assert.ok(first);
  for (const other of others) assert.deepEqual(other, first);
}

const count = async (query: Promise<readonly { count?: unknown }[]>): Promise<unknown> =>
  (await query)[0]?.count;

test('R02 of twenty sends at once with one key one message goes out, over two servers', async () => {
  const { sql } = app.databases.control;
  for (let round = 0; round < 5; round++) {
    const email = newEmail();
    const from = newCaller();
    const key = randomUUID();
    const answers = await twenty(sendPath, { email }, from, key);
    assertOneAnswer(answers, 200);
    const messages = await count(sql`
      select count(*)::int from messages m join verifications v on v.id = m.verification_id
      where v.value = ${email}`);
    assert.equal(messages, 1);
    const again = await replicas[1]?.post(sendPath, { email }, { from, headers: { 'idempotency-key': key } });
    assert.equal(again?.status, 200);
    assert.deepEqual(again?.body, answers.find((answer) => answer.status === 200)?.body);
  }
});

test('R02 of twenty right codes at once with one key one session comes, and its tokens to all who are answered', async () => {
  const { sql } = app.databases.control;
  const { email, handle, code } = await start(app);
  const from = newCaller();
  const key = randomUUID();
  const answers = await twenty(verifyPath, { verification_id: handle, code }, from, key);
  assertOneAnswer(answers, 201);
  const sessions = await count(sql`
    select count(*)::int from sessions s join identities i on i.tenant_id = s.tenant_id and i.user_id = s.user_id
    where i.value = ${email}`);
  assert.equal(sessions, 1);
});

test('R02 twenty registrations at once with one key wait as one', async () => {
  const { sql } = app.databases.control;
  const email = newEmail();
  const key = randomUUID();
  const body = { email, password: 'a long and quiet river 7' };
  assertOneAnswer(await twenty('/api/v1/auth/register', body, newCaller(), key), 202);
  const waiting = await count(sql`select count(*)::int from pending_registrations where value = ${email}`);
  assert.equal(waiting, 1);
});
