import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createLanes } from './lanes.ts';

function lanesOf(concurrency: number) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const lanes = createLanes<string>({
    concurrency,
    isStale: (task) => task.startsWith('stale'),
    carry: (task) => {
      begun.push(task);
      return new Promise((resolve) => ends.set(task, resolve));
    },
  });
  return { lanes, begun, end: (task: string) => ends.get(task)?.() };
}

test('a lane that hangs holds up itself alone, and takes no more on', async () => {
  const { lanes, begun, end } = lanesOf(2);
  for (const task of ['e1', 'e2', 'e3', 'e4']) lanes.add('email', task);
  assert.deepEqual(begun, ['e1', 'e2']);
  lanes.add('sms', 's1');
  assert.deepEqual(begun, ['e1', 'e2', 's1']);
  assert.deepEqual(lanes.room(), { room: 3, full: ['email'] });
  end('e1');
  await turn();
  assert.deepEqual(begun, ['e1', 'e2', 's1', 'e3']);
  assert.deepEqual(lanes.room(), { room: 1, full: [] });
});

test('what waited too long is dropped, and a stop begins nothing more but waits for what runs', async () => {
  const { lanes, begun, end } = lanesOf(1);
  for (const task of ['a', 'stale b', 'c', 'd']) lanes.add('sms', task);
  end('a');
  await turn();
  assert.deepEqual(begun, ['a', 'c']);
  let stopped = false;
  const stopping = lanes.stop(60_000).then(() => {
    stopped = true;
  });
  lanes.add('sms', 'e');
  await turn();
  assert.equal(stopped, false);
  end('c');
  await stopping;
  assert.deepEqual(begun, ['a', 'c']);
  await createLanes<string>({ concurrency: 1, isStale: () => false, carry: async () => {} }).stop(1);
});
