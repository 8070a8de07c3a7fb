import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneAtATime } from './one-at-a-time.ts';

/** A read whose ends the test decides. */
function controlledRead(): { read: () => Promise<void>; begun: PromiseWithResolvers<void>[] } {
  const begun: PromiseWithResolvers<void>[] = [];
  return {
    begun,
    read: () => {
      const one = Promise.withResolvers<void>();
      begun.push(one);
      return one.promise;
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('calls during a read share one more, which begins after it', async () => {
  const { read, begun } = controlledRead();
  const reload = oneAtATime(read);
  const first = reload();
  await turn();
  const second = reload();
  const third = reload();
  await turn();
  assert.equal(begun.length, 1);
  begun[0]?.resolve();
  await first;
  await turn();
  assert.equal(begun.length, 2);
  begun[1]?.resolve();
  await Promise.all([second, third]);
  assert.equal(begun.length, 2);
});

test('a failed read rejects its callers and leaves the next one free', async () => {
  const { read, begun } = controlledRead();
  const reload = oneAtATime(read);
  const first = reload();
  await turn();
  const second = reload();
  begun[0]?.reject(new Error('away'));
  await assert.rejects(first, /away/);
  await turn();
  begun[1]?.resolve();
  await second;
});
