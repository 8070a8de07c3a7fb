import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPacer, type Pacer, TELEGRAM_PACE, type Ticker } from './pacer.ts';

/** Time that only moves when a test moves it; what is due runs in its order. */
function manualTicker(): Ticker & { run(milliseconds: number): Promise<void> } {
  let now = 0;
  let due: { at: number; work: () => void }[] = [];
  return {
    now: () => now,
    after(milliseconds, work) {
      const entry = { at: now + milliseconds, work };
      due.push(entry);
      return { cancel: () => void (due = due.filter((one) => one !== entry)) };
    },
    async run(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        const next = due.filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)[0];
        if (!next) break;
        due = due.filter((one) => one !== next);
        now = next.at;
        next.work();
      }
      now = end;
    },
  };
}

function start(pacer: Pacer, ticker: Ticker, chatIds: readonly (string | undefined)[]) {
  const begun: { chatId: string | undefined; at: number }[] = [];
  for (const chatId of chatIds) {
    void pacer.turn({ chatId }).then(() => begun.push({ chatId, at: ticker.now() }));
  }
  return begun;
}

/** The most that began in any second, edges included on one side. */
function busiest(begun: readonly { at: number }[]): number {
  return Math.max(...begun.map(({ at }) => begun.filter((one) => one.at >= at && one.at < at + 1000).length));
}

test('R05 2,000 messages at the real pace: 25 in any second, none lost, in the order they came', async () => {
  const ticker = manualTicker();
  const pacer = createPacer(TELEGRAM_PACE, ticker);
  const chats = Array.from({ length: 2000 }, (_, index) => String(index));
  const begun = start(pacer, ticker, chats);
  await ticker.run(79_000);
  assert.equal(busiest(begun), 25);
  await ticker.run(2000);
  assert.deepEqual(
    begun.map(({ chatId }) => chatId),
    chats,
  );
});

test('R05 one message a second to a person, one in three seconds to a group; others do not wait for them', async () => {
  const ticker = manualTicker();
  const pacer = createPacer(TELEGRAM_PACE, ticker);
  const begun = start(pacer, ticker, ['7', '7', '7', '-9', '-9', '8', undefined]);
  await ticker.run(10_000);
  const at = (chatId: string | undefined) =>
    begun.filter((one) => one.chatId === chatId).map((one) => one.at);
  // A fiftieth of a second between any two, so that they are no burst.
  assert.deepEqual(at('7'), [0, 1000, 2000]);
  assert.deepEqual(at('-9'), [20, 3020]);
  assert.deepEqual([...at('8'), ...at(undefined)], [40, 60]);
});

test('R05 a pause holds the whole bot, and what waited goes on afterwards', async () => {
  const ticker = manualTicker();
  const pacer = createPacer(TELEGRAM_PACE, ticker);
  const first = start(pacer, ticker, ['1']);
  await ticker.run(0);
  pacer.pause(30);
  pacer.pause(5);
  assert.equal(pacer.pausedFor(), 30, 'a shorter pause does not end a longer one');
  const rest = start(pacer, ticker, ['2', undefined]);
  await ticker.run(29_999);
  assert.deepEqual([first.length, rest.length], [1, 0]);
  await ticker.run(21);
  assert.equal(rest.length, 2);
});

test('who cannot wait for a pause is told at once, and who is given up on never begins', async () => {
  const ticker = manualTicker();
  const pacer = createPacer(TELEGRAM_PACE, ticker);
  start(pacer, ticker, ['1']);
  const impatient = pacer.turn({ chatId: '1', longestPauseSeconds: 5 });
  const given = new AbortController();
  const abandoned = pacer.turn({ chatId: '1', signal: given.signal });
  const refused = [assert.rejects(impatient, { name: 'Paused' }), assert.rejects(abandoned, /enough/)];
  pacer.pause(6);
  given.abort(new Error('enough'));
  await Promise.all(refused);
  await assert.rejects(pacer.turn({ chatId: '2', longestPauseSeconds: 5 }), { name: 'Paused' });
  assert.equal(pacer.waiting(), 0);
});

test('a queue without end would only carry what is too late: the 10,001st is refused', async () => {
  const ticker = manualTicker();
  const pacer = createPacer(TELEGRAM_PACE, ticker);
  pacer.pause(1);
  start(
    pacer,
    ticker,
    Array.from({ length: 10_000 }, (_, index) => String(index)),
  );
  await assert.rejects(pacer.turn({ chatId: 'x' }), { name: 'QueueFull' });
});
