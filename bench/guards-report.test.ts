import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ratioOf, type Sample, writeGuards } from './guards-report.ts';
import { processorSeconds, processorSecondsOfFamily } from './processor-time.ts';

const sample = (perSecond: number, milliseconds = Number.NaN): Sample => ({
  perSecond,
  serverMilliseconds: milliseconds,
  databaseMilliseconds: milliseconds,
});

test('a ratio is taken within each round, so that a slow round does not count for one side alone', () => {
  const against = [sample(100), sample(10), sample(100)];
  const samples = [sample(90), sample(9), sample(50)];
  assert.equal(
    ratioOf({ name: 'x', samples, against }, ({ perSecond }) => perSecond),
    0.9,
  );
});

test('what the system does not tell is a dash, and the first of its kind is not compared with itself', () => {
  const against = [sample(200)];
  const report = writeGuards(
    [
      { name: 'whole', samples: against, against },
      { name: 'without', samples: [sample(210)], against },
    ],
    { put: 0.5, check: 1, solve: 100 },
    { rounds: 1, seconds: 1, connections: 1 },
  );
  assert.match(report, /\| whole +\| +200 \| +\| +– \| +– \| +\|/);
  assert.match(report, /\| without +\| +210 \| +105 % \| +– \| +– \| +– \|/);
});

test('processor time grows with work, and a process that is gone has none', () => {
  const before = processorSeconds(process.pid);
  if (!Number.isNaN(before)) {
    const until = performance.now() + 100;
    while (performance.now() < until);
    assert.ok(processorSeconds(process.pid) > before);
    assert.ok(processorSecondsOfFamily(process.pid) >= before);
  }
  assert.ok(Number.isNaN(processorSeconds(2 ** 30)));
  assert.ok(Number.isNaN(processorSecondsOfFamily(2 ** 30)));
});
