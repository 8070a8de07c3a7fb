import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { solve } from '../solve-challenge.ts';
import { atOnce, type RacingRequest, tally } from './at-once.ts';
import { newCaller, newEmail, resendPath, sendPath, start } from './started.ts';

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

const server = (index: number): TestApp => replicas[index % replicas.length] as TestApp;

async function countMessages(email: string): Promise<{ messages: number; verifications: number }> {
  const [row] = await app.databases.control.sql<{ messages: number; verifications: number }[]>`
    select count(m.id)::int as messages, count(distinct v.id)::int as verifications
    from verifications v left join messages m on m.tenant_id = v.tenant_id and m.verification_id = v.id
    where v.value = ${email.toLowerCase()}`;
  return { messages: row?.messages ?? 0, verifications: row?.verifications ?? 0 };
}

test('S30 of many sends for one address at once one goes out, whatever the spelling and the server', async () => {
  for (let round = 0; round < 5; round++) {
    const email = newEmail();
    const spellings = [email, email.toUpperCase(), ` ${email} `];
    const answers = await atOnce(
      Array.from({ length: 45 }, (_, index) => ({
        app: server(index),
        path: sendPath,
        body: { email: spellings[(index >> 1) % 3] },
        from: newCaller(),
      })),
    );
    assert.deepEqual(tally(answers), { '200': 1, '429 RESEND_TOO_SOON': 44 });
    assert.deepEqual(await countMessages(email), { messages: 1, verifications: 1 });
  }
});

test('S30 of many resends at once one goes out, mixed with sends', async () => {
  for (let round = 0; round < 5; round++) {
    const { email, handle } = await start(app);
    app.clock.advance(61);
    const bodies = [{ verification_id: handle }, { email }];
    const answers = await atOnce(
      Array.from({ length: 45 }, (_, index) => ({
        app: server(index),
        path: index % 3 === 2 ? sendPath : resendPath,
        body: index % 3 === 2 ? { email } : bodies[index % 2],
        from: newCaller(),
      })),
    );
    assert.deepEqual(tally(answers), { '200': 1, '429 RESEND_TOO_SOON': 44 });
    assert.equal((await countMessages(email)).messages, 2, 'the first and one more');
  }
});

test('S30 an address gets five codes in ten minutes from any number of callers at once', async () => {
  const email = newEmail();
  let sent = 0;
  for (let minute = 0; minute < 9; minute++) {
    const answers = await atOnce(
      Array.from({ length: 9 }, (_, index) => ({
        app: server(index),
        path: sendPath,
        body: { email },
        from: newCaller(),
      })),
    );
    sent += tally(answers)['200'] ?? 0;
    app.clock.advance(61);
  }
  assert.equal(sent, 5);
  assert.equal((await countMessages(email)).messages, 5);
});

test('S30 one caller causes exactly 30 sends in an hour over three servers, of which 10 cost work, and the hour ends', async () => {
  const emails = Array.from({ length: 150 }, newEmail);
  // One network of one caller: the last 64 bits are whatever it likes.
  const from = (index: number): string => `2001:db8:0:7::${(index + 1).toString(16)}`;
  const answers = await atOnce(
    emails.map((email, index) => ({
      app: server(index),
      path: sendPath,
      body: { email },
      from: from(index),
    })),
  );
  assert.deepEqual(tally(answers), { '200': 20, '429 PROOF_OF_WORK_REQUIRED': 130 });
  const challenges = answers.filter(({ status }) => status === 429).slice(0, 15);
  const solutions = await Promise.all(challenges.map(({ body }) => solve(body.challenge)));
  const bySolution = (solution: string, index: number): RacingRequest => {
    const email = newEmail();
    emails.push(email);
    const headers = { 'x-challenge-solution': solution };
    return { app: server(index), path: sendPath, body: { email }, from: from(index), headers };
  };
  const worked = [];
  // Three at a time, as fast as the work may become harder.
  for (let index = 0; index < solutions.length; index += 3) {
    worked.push(...(await atOnce(solutions.slice(index, index + 3).map(bySolution))));
  }
  assert.equal(tally(worked)['200'], 6, JSON.stringify(tally(worked)));
  for (let more = 0; more < 6; more++) {
    const { body } = await app.get('/api/v1/auth/challenge', { from: from(more) });
    worked.push(...(await atOnce([bySolution(await solve(body.challenge), more)])));
  }
  assert.equal(tally(worked)['200'], 10);
  assert.equal(tally(worked)['429 RATE_LIMITED'], 2);
  const { sql } = app.databases.control;
  const [row] = await sql`
    select count(*)::int as messages from messages m join verifications v on v.id = m.verification_id
    where v.value = any(${emails})`;
  assert.equal(row?.['messages'], 30);
  app.clock.advance(3601);
  const later = await atOnce(
    Array.from({ length: 45 }, (_, index) => ({
      app: server(index),
      path: sendPath,
      body: { email: newEmail() },
      from: '2001:db8:0:7::1',
    })),
  );
  assert.equal(tally(later)['200'], 20, 'a new hour, a new thirty');
});

test('C1 of one solution shown twenty times at once on three servers one counts', async () => {
  for (let round = 0; round < 3; round++) {
    const from = newCaller();
    await atOnce(
      Array.from({ length: 20 }, () => ({ app, path: sendPath, body: { email: newEmail() }, from })),
    );
    const solution = await solve((await app.get('/api/v1/auth/challenge', { from })).body.challenge);
    const answers = await atOnce(
      Array.from({ length: 20 }, (_, index) => ({
        app: server(index),
        path: sendPath,
        body: { email: newEmail() },
        from,
        headers: { 'x-challenge-solution': solution },
      })),
    );
    assert.deepEqual(tally(answers), { '200': 1, '429 PROOF_OF_WORK_REQUIRED': 19 });
  }
});
