import { test } from 'node:test';
import fc from 'fast-check';
import type { Model } from './command.ts';
import { commands } from './commands.ts';
import { newState } from './state.ts';
import { type Fleet, startFleet } from './system.ts';

const ADDRESSES = 2;
/** More by hand: FIRSTPROOF_MODEL_RUNS=2000 npm test -- test/model */
const RUNS = Number(process.env['FIRSTPROOF_MODEL_RUNS'] ?? 50);

test(`model and servers agree over ${RUNS} random lives, connections killed, and every invariant holds`, {
  timeout: 60_000 + RUNS * 2_000,
}, async () => {
  const fleet: Fleet = await startFleet();
  try {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands(ADDRESSES), { maxCommands: 40, size: 'max' }), async (steps) => {
        const run = await fleet.newRun(ADDRESSES);
        const model: Model = { at: newState(ADDRESSES, run.clock.now().getTime()) };
        await fc.asyncModelRun(() => ({ model, real: run }), steps);
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 55_000 + RUNS * 2_000, markInterruptAsFailure: true },
    );
  } finally {
    await fleet.close();
  }
});
