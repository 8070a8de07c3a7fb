import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { createLanes, type LaneLimits } from './lanes.ts';

function lanesOf(limits: Partial<LaneLimits>) {
  const time = { now: 0 };
  const begun: string[] = [];
  const turnedAway: string[] = [];
  const reserved: number[] = [];
  let nextAt = 0;
  const ends = new Map<string, () => void>();
  const lanes = createLanes<string>({
    limitsOf: () => ({ concurrency: 2, perSecond: undefined, ...limits }),
    isStale: (task) => task.startsWith('stale'),
    carry: (task) => {
      begun.push(task);
      return new Promise((resolve) => ends.set(task, resolve));
    },
    turnAway: (task) => turnedAway.push(task),
    onRoom() {},
    onBreaker() {},
    random: () => 1,
    now: () => time.now,
    // As the servers agree on it in the database.
    reserve: async (_name, count, perSecond) => {
      reserved.push(count);
      const first = Math.max(nextAt, time.now);
      nextAt = first + (count * 1000) / perSecond;
      return first - time.now;
    },
  });
  return { lanes, begun, turnedAway, reserved, time, end: (task: string) => ends.get(task)?.() };
}

test('R03 a lane that hangs holds up itself alone, and takes no more on', async () => {
  const { lanes, begun, end } = lanesOf({});
  for (const task of ['e1', 'e2', 'e3', 'e4']) lanes.add('smtp', task);
  assert.deepEqual(begun, ['e1', 'e2']);
  lanes.add('twilio', 's1');
  assert.deepEqual(begun, ['e1', 'e2', 's1']);
  assert.deepEqual([lanes.room('smtp'), lanes.room('twilio')], [0, 3]);
  end('e1');
  await turn();
  assert.deepEqual(begun, ['e1', 'e2', 's1', 'e3']);
  assert.equal(lanes.room('smtp'), 1);
});

test('what waited too long is turned away, and a stop begins nothing more but waits for what runs', async () => {
  const { lanes, begun, turnedAway, end } = lanesOf({ concurrency: 1 });
  for (const task of ['a', 'stale b', 'c', 'd']) lanes.add('twilio', task);
  end('a');
  await turn();
  assert.deepEqual([begun, turnedAway], [['a', 'c'], ['stale b']]);
  let stopped = false;
  const stopping = lanes.stop(60_000).then(() => {
    stopped = true;
  });
  lanes.add('twilio', 'e');
  await turn();
  assert.equal(stopped, false);
  end('c');
  await stopping;
  assert.deepEqual(begun, ['a', 'c']);
});

test('R03 an open breaker turns away what waits, and lets one probe through after its rest', async () => {
  const { lanes, begun, turnedAway, time, end } = lanesOf({});
  for (const task of ['a', 'b', 'c']) lanes.add('twilio', task);
  for (let time = 0; time < 5; time++) lanes.failed('twilio');
  assert.deepEqual([lanes.shutFor('twilio'), lanes.room('twilio')], [5000, 0]);
  end('a');
  await turn();
  assert.deepEqual([begun, turnedAway], [['a', 'b'], ['c']]);
  time.now = 5000;
  assert.equal(lanes.shutFor('twilio'), 0);
  assert.equal(lanes.room('twilio'), 1);
  for (const task of ['probe', 'd']) lanes.add('twilio', task);
  end('b');
  await turn();
  assert.deepEqual(
    [begun, turnedAway],
    [
      ['a', 'b', 'probe'],
      ['c', 'd'],
    ],
  );
  lanes.succeeded('twilio');
  end('probe');
  await turn();
  lanes.add('twilio', 'e');
  assert.equal(begun.at(-1), 'e');
});

test('R04 a provider that asked for quiet gets nothing before; a long quiet shuts its lane', async () => {
  const { lanes, begun, time } = lanesOf({});
  lanes.pause('twilio', 30);
  lanes.add('twilio', 'a');
  assert.deepEqual([begun, lanes.shutFor('twilio')], [[], 0]);
  time.now = 29;
  await wait(40);
  assert.deepEqual(begun, []);
  time.now = 30;
  await wait(20);
  assert.deepEqual(begun, ['a']);
  lanes.pause('twilio', 60_000);
  assert.equal(lanes.shutFor('twilio'), 60_000);
});

test('R05 a lane with a rate begins no try before its turn, and takes no more on than two seconds hold', async () => {
  const { lanes, begun, reserved, time } = lanesOf({ concurrency: 100, perSecond: 20 });
  assert.equal(lanes.room('telegram'), 40);
  for (const task of ['a', 'b', 'c', 'd']) lanes.add('telegram', task);
  await wait(70);
  assert.deepEqual(begun, ['a']);
  time.now = 49;
  await wait(70);
  assert.deepEqual(begun, ['a']);
  time.now = 50;
  await wait(70);
  assert.deepEqual(begun, ['a', 'b']);
  time.now = 150;
  await wait(120);
  assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
  assert.deepEqual(reserved, [1, 3], 'one agreement for all that wait');
});
