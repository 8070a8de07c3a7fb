import type { Database } from '../db/database.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Speeds } from './plan.ts';

/** What is measured: the used codes of the last hours, the newest few thousand, and not fewer than can tell. */
const RECENT = { sinceSeconds: 6 * 3600, leastSamples: 20, mostSamples: 5000 };

/** How long providers take of late, over every database of the deployment. Measured once somebody has asked. */
export function createSpeeds(outbox: Outbox): {
  all: () => Speeds;
  refresh(database: Database): Promise<void>;
} {
  const byDatabase = new Map<Database, Awaited<ReturnType<Outbox['speeds']>>>();
  let speeds: Speeds = new Map();
  let isWanted = false;
  return {
    all() {
      isWanted = true;
      return speeds;
    },
    async refresh(database) {
      if (!isWanted) return;
      byDatabase.set(database, await outbox.speeds(database, RECENT));
      const sums = new Map<string, { samples: number; weighted: number }>();
      for (const { provider, samples, median_milliseconds: median } of [...byDatabase.values()].flat()) {
        const sum = sums.get(provider) ?? { samples: 0, weighted: 0 };
        sums.set(provider, {
          samples: sum.samples + samples,
          weighted: sum.weighted + samples * median,
        });
      }
      speeds = new Map([...sums].map(([name, { samples, weighted }]) => [name, weighted / samples]));
    },
  };
}
