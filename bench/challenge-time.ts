import { randomBytes } from 'node:crypto';
import { createChallenges } from '../src/challenges/challenges.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { createSecrets } from '../src/kernel/secrets.ts';
import { silentLog } from '../src/kernel/log.ts';
import { solve } from '../test/solve-challenge.ts';
import { median } from './statistics.ts';

/** Milliseconds of one processor: what a proof of work costs the server, and what it costs whoever does it. */
export interface ChallengeTimes {
  put: number;
  check: number;
  solve: number;
}

const TIMES = 15;

/** The easiest challenge, put, solved and checked in this process; the callers' counters are left out. */
export async function timeChallenges(): Promise<ChallengeTimes> {
  const challenges = createChallenges({
    secrets: createSecrets([randomBytes(48).toString('base64url')]),
    counters: { take: async () => ({ allowed: true }), left: async (_key, limit) => limit },
    clock: systemClock,
    captcha: undefined,
    fetch,
    log: silentLog,
  });
  const times = { put: [] as number[], check: [] as number[], solve: [] as number[] };
  const timed = async <T>(list: number[], work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const done = await work();
    list.push(performance.now() - started);
    return done;
  };
  for (let round = 0; round < TIMES; round++) {
    const { challenge } = await timed(times.put, () => challenges.put('203.0.113.7'));
    const solution = await timed(times.solve, () => solve(challenge));
    const outcome = await timed(times.check, () =>
      challenges.check({ solution, captcha: undefined }, '203.0.113.7'),
    );
    if (outcome !== 'solved') throw new Error(`a right solution was ${outcome}`);
  }
  return { put: median(times.put), check: median(times.check), solve: median(times.solve) };
}
