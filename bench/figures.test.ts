import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareMemory, compareRates, withoutVerdict } from './figures.ts';
import type { Measured } from './measure.ts';
import { median } from './statistics.ts';

function measured(perSecond: number, changes: Partial<Measured> = {}): Measured {
  const idle = { p50: 1, p99: 2, rounds: [perSecond], errors: 0, firstError: null, memory: [] };
  return { name: 'a server', scenario: 'sign-in', perSecond, ...idle, ...changes };
}

test('a target is reached at its value and missed below it', () => {
  assert.equal(compareRates('sign-up', measured(1_000), measured(100), 10).verdict, 'reached');
  assert.equal(compareRates('sign-up', measured(999), measured(100), 10).verdict, 'missed');
  assert.equal(compareRates('hello', measured(60), measured(100), 0.6).verdict, 'reached');
  assert.equal(compareRates('hello', measured(59), measured(100), 0.6).verdict, 'missed');
});

test('one wrong answer on either side makes the figure invalid', () => {
  const wrong = measured(100, { errors: 1, firstError: 'verify-code answered 500' });
  assert.equal(compareRates('sign-up', measured(5_000), wrong, 10).verdict, 'not valid: 1 errors');
  const figure = compareRates('two processes', wrong, measured(10), 1.6);
  assert.equal(withoutVerdict(figure, 'not judged').verdict, 'not valid: 1 errors');
});

test('memory is judged by its highest sample', () => {
  const peer = [measured(1, { memory: [100, 200] })];
  assert.equal(compareMemory([measured(1, { memory: [10, 100, 20] })], peer).verdict, 'reached');
  assert.equal(compareMemory([measured(1, { memory: [10, 101, 20] })], peer).verdict, 'missed');
});

test('the median of an even number of values lies between the middle two', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([1, 3, 2, 10]), 2.5);
  assert.ok(Number.isNaN(median([])));
});
