import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBreaker } from './breaker.ts';

function breakerAt(random = 1) {
  const time = { now: 0 };
  const states: string[] = [];
  const breaker = createBreaker({
    now: () => time.now,
    random: () => random,
    onChange: (state) => states.push(state),
  });
  const fail = (times: number): void => {
    for (let time = 0; time < times; time++) breaker.failed();
  };
  return { time, states, breaker, fail };
}

test('R03 five failures in a row open it; a success between them begins the count anew', () => {
  const { breaker, fail } = breakerAt();
  fail(4);
  breaker.succeeded();
  fail(4);
  assert.deepEqual([breaker.state, breaker.restsFor()], ['closed', 0]);
  fail(1);
  assert.deepEqual([breaker.state, breaker.restsFor()], ['open', 5000]);
});

test('R03 after its rest one probe goes and the others wait; its success closes it', () => {
  const { breaker, fail, time, states } = breakerAt();
  fail(5);
  time.now = 4999;
  assert.equal(breaker.restsFor(), 1);
  time.now = 5000;
  assert.equal(breaker.restsFor(), 0);
  breaker.begin();
  assert.equal(breaker.restsFor(), 1000);
  breaker.succeeded();
  assert.equal(breaker.restsFor(), 0);
  assert.deepEqual(states, ['open', 'half_open', 'closed']);
  fail(4);
  assert.equal(breaker.state, 'closed');
});

test('R03 each failed probe doubles the rest, up to a minute; a success forgets that', () => {
  const { breaker, fail, time } = breakerAt();
  fail(5);
  const rests: number[] = [];
  for (let probe = 0; probe < 6; probe++) {
    rests.push(breaker.restsFor());
    time.now += breaker.restsFor();
    assert.equal(breaker.restsFor(), 0);
    breaker.begin();
    fail(1);
  }
  assert.deepEqual(rests, [5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  time.now += 60_000;
  breaker.restsFor();
  breaker.begin();
  breaker.succeeded();
  fail(5);
  assert.equal(breaker.restsFor(), 5000);
});

test('R03 what began before it opened neither prolongs its rest nor is a probe', () => {
  const { breaker, fail, time } = breakerAt(0);
  fail(5);
  assert.equal(breaker.restsFor(), 2500, 'half of the rest is by chance');
  time.now = 2000;
  fail(10);
  assert.equal(breaker.restsFor(), 500);
});
