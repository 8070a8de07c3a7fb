import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';

const SEND = '/api/v1/auth/send-verification';
/** A server with patience, and one without on the same databases. */
let calm: TestApp;
let app: TestApp;
let token: string;
before(async () => {
  calm = await createTestApp();
  token = (await calm.signIn({ email: 'well@example.com' })).body.access_token;
  app = await calm.replica({ env: { FIRSTPROOF_LONGEST_QUEUE_MILLISECONDS: '700' } });
});
after(async () => {
  await app.close();
  await calm.close();
});

let sent = 0;
const send = (to = app): Promise<Answer> => {
  sent += 1;
  // Each in a range of its own: one range gets so many an hour.
  const phone = `+447${400_000_000 + sent * 10_007}`;
  return to.post(SEND, { phone }, { from: `10.1.${sent >> 8}.${sent & 255}` });
};

function isRefused({ status, body, headers }: Answer): boolean {
  if (status !== 503) return false;
  assert.equal(body.error, 'OVERLOADED');
  assert.equal(headers.get('retry-after'), '2');
  return true;
}

test('R15 past the longest wait sends are refused at once and cost nothing; sessions are checked, and what was taken is done', async () => {
  const { sql } = app.databases.control;
  // Each statement takes its time; on a machine that is busy anyway everything takes its own.
  await sql`create function dawdle() returns trigger language plpgsql as
    'begin perform pg_sleep(1.5); return null; end'`;
  await sql`create trigger dawdle before insert on verifications for each statement execute function dawdle()`;
  const answers: Promise<Answer>[] = [];
  let refused: Answer | undefined;
  for (let round = 0; round < 300 && !refused; round += 1) {
    const answer = send();
    answers.push(answer);
    void answer.then((one) => (refused ??= one.status === 503 ? one : undefined));
    await wait(10);
  }
  assert.ok(refused && isRefused(refused), 'while the first wait, one that comes is refused');
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
  await sql`drop trigger dawdle on verifications`;
  const statuses = (await Promise.all(answers)).map((answer) => (isRefused(answer) ? 503 : answer.status));
  const done = statuses.filter((status) => status === 200).length;
  assert.equal(done + statuses.filter((status) => status === 503).length, sent, String(statuses));
  assert.ok(done > 0);
  const [row] = await sql`select count(*)::int as count from verifications where kind = 'phone'`;
  assert.equal(row?.['count'], done, 'nothing of a refused one is written');
  const id = app.app.tenants.bySlug('default')?.id ?? '';
  assert.equal((await app.app.tolls.ledger(id))[0]?.messages, done, 'and it costs nothing');
  await until(async () => (await send()).status === 200);
});

test('R15 a process that is behind refuses what takes work, and still answers what takes none', async (t) => {
  const hurried = await calm.replica({ env: { FIRSTPROOF_LONGEST_QUEUE_MILLISECONDS: '50' } });
  t.after(() => hurried.close());
  const busy = setInterval(() => {
    const end = performance.now() + 200;
    while (performance.now() < end);
  }, 1);
  try {
    const [refused, session, live, page] = await Promise.all([
      send(hurried),
      hurried.get('/api/v1/auth/session', { token }),
      hurried.get('/health/live'),
      fetch(`${hurried.url}/sign-in`),
    ]);
    assert.ok(isRefused(refused), `${refused.status}`);
    assert.equal(session.status, 200);
    assert.equal(live.status, 200);
    assert.equal(page.status, 503);
    assert.match(await page.text(), /<h1/, 'people are told on a page');
  } finally {
    clearInterval(busy);
  }
  await until(async () => (await send(hurried)).status === 200);
});
