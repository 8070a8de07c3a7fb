import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from './database.ts';
import { createReadiness } from './databases.ts';

test('R15 of all who ask at once whether the server is ready one asks the databases', async () => {
  const waiting: { resolve: () => void; reject: (fault: Error) => void }[] = [];
  const ping = (): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ resolve, reject });
    return promise;
  };
  const isReady = createReadiness({ all: () => [{ ping } as unknown as Database] });
  const first = Array.from({ length: 500 }, isReady);
  assert.equal(waiting.length, 1);
  waiting.shift()?.resolve();
  assert.deepEqual(new Set(await Promise.all(first)), new Set([true]));

  const later = [isReady(), isReady()];
  assert.equal(waiting.length, 1, 'who asks later is told how it is then');
  waiting.shift()?.reject(new Error('away'));
  assert.deepEqual(await Promise.all(later), [false, false]);
  const back = isReady();
  waiting.shift()?.resolve();
  assert.equal(await back, true);
});

test('R13 without databases there is nothing that is away, as often as it is asked', async () => {
  const isReady = createReadiness({ all: () => [] });
  assert.deepEqual([await isReady(), await isReady()], [true, true]);
});
