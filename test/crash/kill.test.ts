import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runRounds } from './rounds.ts';

test('S17 the server, its PostgreSQL, and both are killed under load: nothing acknowledged is lost', {
  timeout: 100_000,
}, async () => {
  const report = await runRounds({ rounds: 3, acknowledgedEachRound: 150, concurrency: 8 });
  assert.deepEqual(report.losses, []);
  assert.deepEqual(report.wrong, []);
  assert.ok(report.acknowledged > 150, `${report.acknowledged} acknowledged`);
});
