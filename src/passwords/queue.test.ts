import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorkQueue, overloaded } from './queue.ts';

/** Work that ends when it is told to. */
function held(): { work: () => Promise<string>; end: () => void; begun: () => boolean } {
  const { promise, resolve } = Promise.withResolvers<string>();
  let begun = false;
  return {
    work: () => {
      begun = true;
      return promise;
    },
    end: () => resolve('done'),
    begun: () => begun,
  };
}

test('runs so many at once, lets so many wait, and turns the next away at once', async () => {
  const queue = createWorkQueue(2, 1);
  const [first, second, third, fourth] = [held(), held(), held(), held()];
  const results = [queue.run(first.work), queue.run(second.work), queue.run(third.work)];
  assert.equal(queue.hasRoom, false);
  assert.equal(await queue.run(fourth.work), overloaded);
  assert.equal(fourth.begun(), false);
  assert.deepEqual(
    [first, second, third].map((item) => item.begun()),
    [true, true, false],
  );
  second.end();
  await results[1];
  await new Promise(setImmediate);
  assert.equal(third.begun(), true);
  assert.equal(queue.hasRoom, true);
  first.end();
  third.end();
  assert.deepEqual(await Promise.all(results), ['done', 'done', 'done']);
});

test('work that fails gives its place back', async () => {
  const queue = createWorkQueue(1, 0);
  for (let round = 0; round < 3; round++) {
    await assert.rejects(
      queue.run(() => Promise.reject(new Error('failed'))),
      /failed/,
    );
  }
  assert.equal(await queue.run(() => Promise.resolve('done')), 'done');
});
