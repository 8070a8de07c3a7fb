import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReadLimit } from './read-limit.ts';

test('a caller may read a burst, then so many a second; another caller has a bucket of its own', () => {
  let now = 0;
  const limit = createReadLimit(3, 2, () => now);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => limit.take('a')),
    [0, 0, 0, 1],
  );
  assert.equal(limit.take('b'), 0);
  now = 400;
  assert.equal(limit.take('a'), 1, 'not yet a whole one');
  now = 500;
  assert.deepEqual([limit.take('a'), limit.take('a')], [0, 1]);
  now = 60_000;
  assert.deepEqual(
    [1, 2, 3, 4].map(() => limit.take('a')),
    [0, 0, 0, 1],
  );
});
