import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createLinkWatch } from './link-watch.ts';

test('S11 who asks thousands of times about one link takes no place of others', async () => {
  const watch = createLinkWatch();
  let answered = 0;
  const greedy = Array.from({ length: 3000 }, () => watch.wait('greedy', 60_000).then(() => answered++));
  await turn();
  assert.equal(answered, 2995, 'one link has five places, and is answered at once beyond them');
  let hasMoved = false;
  const patient = watch.wait('patient', 60_000).then(() => (hasMoved = true));
  await turn();
  assert.equal(hasMoved, false, 'another browser still waits');
  watch.moved('patient');
  await patient;
  watch.stop();
  await Promise.all(greedy);
});
