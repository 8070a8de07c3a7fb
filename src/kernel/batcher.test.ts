import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as tick, setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { createBatcher } from './batcher.ts';
import { QueueFull } from './queue-full.ts';

/** A flush that records its batches and finishes when told to. */
function createGate() {
  const batches: { items: number[]; finish: (results: number[]) => void; fail: (error: Error) => void }[] =
    [];
  const flush = (items: number[]) =>
    new Promise<number[]>((finish, fail) => {
      batches.push({ items, finish, fail });
    });
  return { batches, flush };
}

test('items of one tick go together, and each gets its own result', async () => {
  const batches: number[][] = [];
  const batcher = createBatcher({
    maxBatch: 10,
    flush: async (items: number[]) => {
      batches.push(items);
      return items.map((item) => item * 10);
    },
  });
  const results = await Promise.all([
    batcher.add(1),
    batcher.add(2),
    Promise.resolve().then(() => batcher.add(3)),
  ]);
  assert.deepEqual(results, [10, 20, 30]);
  assert.deepEqual(batches, [[1, 2, 3]]);
  assert.deepEqual(await batcher.add(4), 40);
  assert.deepEqual(batches, [[1, 2, 3], [4]]);
});

test('R15 while a whole batch has waited too long nothing more is taken, and what was taken has its turn', async () => {
  const { batches, flush } = createGate();
  const batcher = createBatcher({ maxBatch: 2, flush, longestWaitMilliseconds: 30 });
  const first = batcher.add(1);
  await tick();
  const second = batcher.add(2);
  await wait(40);
  const third = batcher.add(3);
  assert.equal(batcher.hasRoom(), false);
  await assert.rejects(batcher.add(4), QueueFull);
  batches[0]!.finish([10]);
  assert.equal(await first, 10);
  await tick();
  assert.deepEqual(batches[1]!.items, [2, 3], 'a queue that only stalled is let grow to a batch');
  assert.equal(batcher.hasRoom(), true);
  batches[1]!.finish([20, 30]);
  assert.deepEqual(await Promise.all([second, third]), [20, 30]);
});

test('what arrives during a flush goes in the next one, not beside it', async () => {
  const { batches, flush } = createGate();
  const batcher = createBatcher({ maxBatch: 10, flush });
  const first = batcher.add(1);
  await tick();
  const later = [batcher.add(2), batcher.add(3)];
  await tick();
  await tick();
  assert.deepEqual(
    batches.map(({ items }) => items),
    [[1]],
  );
  batches[0]!.finish([10]);
  assert.equal(await first, 10);
  await tick();
  assert.deepEqual(
    batches.map(({ items }) => items),
    [[1], [2, 3]],
  );
  batches[1]!.finish([20, 30]);
  assert.deepEqual(await Promise.all(later), [20, 30]);
});

test('a batch is never larger than maxBatch, and never more than maxInFlight run', async () => {
  let running = 0;
  let most = 0;
  const sizes: number[] = [];
  const batcher = createBatcher({
    maxBatch: 3,
    maxInFlight: 2,
    flush: async (items: number[]) => {
      running += 1;
      most = Math.max(most, running);
      sizes.push(items.length);
      await wait(1);
      running -= 1;
      return items;
    },
  });
  const items = Array.from({ length: 10 }, (_, index) => index);
  assert.deepEqual(await Promise.all(items.map(batcher.add)), items);
  assert.deepEqual(sizes, [3, 3, 3, 1]);
  assert.equal(most, 2);
});

test('a failing flush rejects exactly its own items', async () => {
  const { batches, flush } = createGate();
  const batcher = createBatcher({ maxBatch: 2, flush });
  const settled = Promise.allSettled([1, 2, 3].map(batcher.add));
  await tick();
  batches[0]!.fail(new Error('lost'));
  await tick();
  await tick();
  batches[1]!.finish([30]);
  const outcomes = (await settled).map((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value : outcome.reason.message,
  );
  assert.deepEqual(outcomes, ['lost', 'lost', 30]);
});

test('a flush that throws at once, or answers for too few, rejects its items', async () => {
  const throwing = createBatcher<number, number>({
    maxBatch: 2,
    flush: () => {
      throw new Error('at once');
    },
  });
  await assert.rejects(throwing.add(1), /at once/);
  const short = createBatcher({ maxBatch: 2, flush: async (items: number[]) => items.slice(1) });
  const outcomes = await Promise.allSettled([short.add(1), short.add(2)]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
});

test('drain waits for everything, also for what fails or is added meanwhile', async () => {
  let flushed = 0;
  const batcher = createBatcher({
    maxBatch: 1,
    flush: async (items: number[]) => {
      await wait(1);
      flushed += 1;
      if (items[0] === 2) throw new Error('lost');
      return items;
    },
  });
  await batcher.drain();
  const first = batcher.add(1).then(() => batcher.add(3));
  const second = assert.rejects(batcher.add(2));
  await batcher.drain();
  assert.equal(flushed, 3);
  await Promise.all([first, second]);
});

test('limits that let nothing through are a fault', () => {
  const flush = async (items: number[]) => items;
  assert.throws(() => createBatcher({ flush, maxBatch: 0 }), RangeError);
  assert.throws(() => createBatcher({ flush, maxBatch: 1, maxInFlight: Number.NaN }), RangeError);
});

test('every item is flushed once, in order, and gets its own answer', async () => {
  const step = fc.record({ count: fc.integer({ min: 1, max: 7 }), pause: fc.boolean() });
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 3 }),
    fc.array(step, { maxLength: 12 }),
    async (maxBatch, maxInFlight, steps) => {
      const seen: number[] = [];
      const batcher = createBatcher({
        maxBatch,
        maxInFlight,
        flush: async (items: number[]) => {
          seen.push(...items);
          await tick();
          if (items.some((item) => item % 7 === 0)) throw new Error('unlucky');
          return items.map((item) => -item);
        },
      });
      const outcomes: Promise<boolean>[] = [];
      let next = 1;
      for (const { count, pause } of steps) {
        for (let added = 0; added < count; added += 1) {
          const item = next++;
          outcomes.push(
            batcher.add(item).then(
              (result) => result === -item,
              () => true,
            ),
          );
        }
        if (pause) await tick();
      }
      await batcher.drain();
      assert.deepEqual(
        seen,
        Array.from({ length: next - 1 }, (_, index) => index + 1),
      );
      assert.ok((await Promise.all(outcomes)).every(Boolean));
    },
  );
  await fc.assert(property, { numRuns: 100 });
});
