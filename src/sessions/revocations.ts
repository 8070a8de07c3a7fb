import type { Database } from '../db/database.ts';
import type { Feed } from '../db/feed.ts';
import type { Clock } from '../kernel/clock.ts';
import { SESSIONS_TOPIC } from './end-store.ts';
import { readEndedSince } from './store.ts';

/** No access token lives longer, so an ended session need not be remembered longer. */
const REMEMBER_SECONDS = 86_400 + 300;

/** Which sessions of one database have ended, as this server has been told. */
export interface Revocations {
  /** False while something may have been missed: then only the database knows. */
  readonly reliable: boolean;
  has(sessionId: string): boolean;
  /** Remembers at once what this server itself has just ended. */
  add(sessionIds: readonly string[]): void;
  /** Resolves when no server takes a session any more that had ended before the call. */
  knownToAll(): Promise<void>;
  readonly size: number;
}

/** Follows the feed of a database. `onEnded` hears of each id, told or caught up. */
export function createRevocations(
  database: Database,
  feed: Feed,
  clock: Clock,
  onEnded: (sessionId: string) => void,
): Revocations {
  let current = new Set<string>();
  let previous = new Set<string>();
  let turnedAt = clock.now().getTime();

  /** Two generations: each id is remembered for one to two whole periods, and forgotten without a scan. */
  function remember(sessionId: string): void {
    const now = clock.now().getTime();
    if (now - turnedAt > REMEMBER_SECONDS * 1000) {
      previous = current;
      current = new Set();
      turnedAt = now;
    }
    current.add(sessionId);
    onEnded(sessionId);
  }

  feed.on(SESSIONS_TOPIC, (text) => {
    for (const id of text.split(',')) remember(id);
  });
  feed.onRestored(async () => {
    for (const id of await readEndedSince(database, REMEMBER_SECONDS)) remember(id);
  });

  return {
    get reliable() {
      return feed.live;
    },
    has: (sessionId) => current.has(sessionId) || previous.has(sessionId),
    add: (sessionIds) => sessionIds.forEach(remember),
    knownToAll: () => feed.heardByAll(),
    get size() {
      return current.size + previous.size;
    },
  };
}
