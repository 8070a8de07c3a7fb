import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { wrongCode } from '../wrong-code.ts';

let app: TestApp;
before(async () => {
  // Without challenges each wrong code counts, and none ends the guessing sooner: guessed-addresses.test.ts has those.
  app = await createTestApp({ env: { FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: '30' } });
});
after(() => app.close());

const SEND = '/api/v1/auth/send-verification';
const VERIFY = '/api/v1/auth/verify-code';
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

let callers = 0;
/** Each send from another caller, so that only the address's own budget counts. */
const send = (phone: string) =>
  app.post(SEND, { phone }, { from: `10.1.${callers >> 8}.${callers++ & 255}` });

async function sendCode(phone: string): Promise<{ verification_id: string; code: string }> {
  const before = await app.newestMessage(phone);
  const sent = await send(phone);
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  return { verification_id: sent.body.verification_id, code: await app.code(phone, { after: before }) };
}

const guess = (sent: { verification_id: string; code: string }) =>
  app.post(VERIFY, { verification_id: sent.verification_id, code: wrongCode(sent.code) });

async function fiveWrong(phone: string): Promise<void> {
  const sent = await sendCode(phone);
  for (let attempt = 0; attempt < 5; attempt++) assert.equal((await guess(sent)).body.error, 'INVALID_CODE');
  app.clock.advance(MINUTE);
}

test('an address is sent five codes in ten minutes, and the next when the first of them is ten minutes old', async () => {
  const phone = '+14155551001';
  for (let sends = 0; sends < 5; sends++) {
    assert.equal((await send(phone)).status, 200);
    app.clock.advance(MINUTE);
  }
  const refused = await send(phone);
  assert.equal(refused.status, 429);
  assert.equal(refused.body.error, 'RATE_LIMITED');
  assert.equal(refused.body.retry_after, 300);
  assert.equal(refused.headers.get('retry-after'), '300');
  app.clock.advance(299);
  assert.equal((await send(phone)).body.error, 'RATE_LIMITED');
  app.clock.advance(1);
  assert.equal((await send(phone)).status, 200);
});

test('an address is sent twenty codes a day', async () => {
  const phone = '+14155551002';
  for (let sends = 0; sends < 20; sends++) {
    assert.equal((await send(phone)).status, 200, `send ${sends}`);
    app.clock.advance(10 * MINUTE);
  }
  const refused = await send(phone);
  assert.equal(refused.body.error, 'RATE_LIMITED');
  assert.equal(refused.body.retry_after, DAY - 20 * 10 * MINUTE);
  app.clock.advance(refused.body.retry_after);
  assert.equal((await send(phone)).status, 200);
});

test('a refused send counts for nothing and leaves nothing but its record', async () => {
  const phone = '+14155551003';
  await sendCode(phone);
  const { sql } = app.databases.of('us');
  const counts = async () =>
    (
      await sql`select (select count(*) from messages) as messages,
    (select count(*) from verifications) as verifications`
    )[0];
  const before = await counts();
  for (let sends = 0; sends < 30; sends++) assert.equal((await send(phone)).body.error, 'RESEND_TOO_SOON');
  assert.deepEqual(await counts(), before);
  app.clock.advance(MINUTE);
  assert.equal((await send(phone)).status, 200);
});

test('ten wrong codes an hour close an address for an hour, twenty a day for a day, the right code included', async () => {
  const phone = '+14155551004';
  const waiting = await sendCode(phone);
  await guess(waiting);
  app.clock.advance(MINUTE);
  await fiveWrong(phone);
  const last = await sendCode(phone);
  for (let attempt = 0; attempt < 4; attempt++) assert.equal((await guess(last)).body.error, 'INVALID_CODE');
  // A code that still lives and was tried before: the address's budget refuses the right one all the same.
  for (const body of [waiting, { phone, code: waiting.code }]) {
    const right = await app.post(VERIFY, body);
    assert.equal(right.status, 429);
    assert.equal(right.body.error, 'TOO_MANY_ATTEMPTS');
    assert.equal(right.body.attempts_left, 0);
    assert.equal(right.body.retry_after, HOUR - 2 * MINUTE);
  }
  assert.equal((await app.post(VERIFY, last)).body.error, 'TOO_MANY_ATTEMPTS');
  const closed = await send(phone);
  assert.equal(closed.body.error, 'TOO_MANY_ATTEMPTS');
  assert.equal(closed.body.retry_after, HOUR - 2 * MINUTE);

  app.clock.advance(HOUR);
  await fiveWrong(phone);
  app.clock.advance(HOUR);
  await fiveWrong(phone);
  const day = await send(phone);
  assert.equal(day.body.error, 'TOO_MANY_ATTEMPTS');
  assert.ok(day.body.retry_after > 20 * HOUR, `${day.body.retry_after}`);
  app.clock.advance(2 * HOUR);
  assert.equal((await send(phone)).body.error, 'TOO_MANY_ATTEMPTS', 'an hour is not enough any more');
  app.clock.advance(DAY);
  const later = await sendCode(phone);
  assert.equal((await app.post(VERIFY, later)).status, 201);
});

test('wrong codes of one address never close another', async () => {
  await fiveWrong('+14155551005');
  await fiveWrong('+14155551005');
  assert.equal((await app.post(VERIFY, await sendCode('+14155551006'))).status, 201);
});

test('a hundred wrong codes in a row close the address until somebody proves it another way', async () => {
  const phone = '+14155551007';
  for (let rounds = 0; rounds < 10; rounds++) {
    await fiveWrong(phone);
    await fiveWrong(phone);
    app.clock.advance(12 * HOUR);
  }
  app.clock.advance(30 * DAY);
  const refused = await send(phone);
  assert.equal(refused.body.error, 'TOO_MANY_ATTEMPTS');
  assert.equal(refused.body.next_action, 'USE_ANOTHER_WAY');
});

test('relaxed budgets let a load program send, and let nobody guess', async () => {
  const relaxed = await createTestApp({ env: { FIRSTPROOF_BUDGETS: 'relaxed' } });
  try {
    for (let sends = 0; sends < 40; sends++) {
      const answer = await relaxed.post(SEND, { email: `load${sends}@example.com` });
      assert.equal(answer.status, 200);
    }
    let last = { verification_id: '', code: '' };
    for (let sends = 0; sends < 8; sends++) {
      const newest = await relaxed.newestMessage('same@example.com');
      relaxed.clock.advance(1);
      const sent = await relaxed.post(SEND, { email: 'same@example.com' });
      assert.equal(sent.status, 200, `send ${sends}`);
      const code = await relaxed.code('same@example.com', { after: newest });
      last = { verification_id: sent.body.verification_id, code };
      if (sends > 1) continue;
      for (let attempt = 0; attempt < 5; attempt++) {
        const wrong = await relaxed.post(VERIFY, { ...last, code: wrongCode(code) });
        assert.equal(wrong.body.attempts_left, 4 - attempt);
      }
      const dead = await relaxed.post(VERIFY, last);
      assert.equal(dead.body.error, 'TOO_MANY_ATTEMPTS');
      if (sends === 1) break;
    }
    relaxed.clock.advance(MINUTE);
    const closed = await relaxed.post(SEND, { email: 'same@example.com' });
    assert.equal(closed.body.error, 'TOO_MANY_ATTEMPTS');
  } finally {
    await relaxed.close();
  }
});
