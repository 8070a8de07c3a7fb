import type { Database } from '../db/database.ts';
import type { Feed } from '../db/feed.ts';
import { oneAtATime } from '../kernel/one-at-a-time.ts';
import {
  insertSuppression,
  type NewSuppression,
  readSuppressions,
  SUPPRESSIONS_TOPIC,
  sweepSuppressions,
} from './store.ts';

/** Who cannot be reached by a channel, held in memory: no message costs a look into the database. */
export interface Suppressions {
  has(tenantId: string, channel: string, recipient: string): boolean;
  add(database: Database, suppression: NewSuppression): Promise<void>;
  /** Reads anew what holds, and removes what does not any more. */
  refresh(database: Database): Promise<void>;
  /** Follows what other servers learn. A server that misses it asks a provider once more, no worse. */
  follow(database: Database, feed: Feed): void;
}

export function createSuppressions(): Suppressions {
  const known = new Map<Database, Set<string>>();
  const keyOf = (tenantId: string, channel: string, recipient: string): string =>
    `${tenantId} ${channel} ${recipient}`;

  async function read(database: Database): Promise<void> {
    const rows = await readSuppressions(database);
    known.set(database, new Set(rows.map((row) => keyOf(row.tenantId, row.channel, row.recipient))));
  }

  return {
    has: (tenantId, channel, recipient) =>
      [...known.values()].some((keys) => keys.has(keyOf(tenantId, channel, recipient))),
    async add(database, suppression) {
      const { tenantId, channel, recipient } = suppression;
      if (recipient !== null) known.get(database)?.add(keyOf(tenantId, channel, recipient));
      await insertSuppression(database, suppression);
    },
    async refresh(database) {
      await sweepSuppressions(database);
      await read(database);
    },
    follow(database, feed) {
      const readAgain = oneAtATime(() => read(database));
      // A list that could not be read is read again with the next round of the worker.
      feed.on(SUPPRESSIONS_TOPIC, () => void readAgain().catch(() => {}));
      feed.onRestored(readAgain);
    },
  };
}
