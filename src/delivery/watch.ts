import { randomUUID } from 'node:crypto';
import type { Database } from '../db/database.ts';
import { type Feed, MOST_IDS_A_NOTICE } from '../db/feed.ts';
import { tellServers } from './store.ts';

const WATCHED_TOPIC = 'watched';
const STATUS_TOPIC = 'status';
/** What is watched is told anew so often, for servers that came later. */
const TELL_AGAIN_MILLISECONDS = 20_000;
/** So long a server goes on telling of what another one watches. */
const WATCHED_MILLISECONDS = 3 * TELL_AGAIN_MILLISECONDS;

/**
 * Who wants to know when a verification's message changes. A server that watches one tells all; a server that changes
 * one which somebody watches tells them. What nobody watches costs nothing.
 */
export interface Watch {
  /** @returns a function that ends it */
  on(database: Database, verificationId: string, listener: () => void): () => void;
  changed(database: Database, verificationIds: readonly (string | null)[]): void;
  follow(database: Database, feed: Feed): void;
  stop(): void;
}

export function createWatch(): Watch {
  const node = randomUUID();
  const listeners = new Map<string, { database: Database; calls: Set<() => void> }>();
  /** Watched by other servers, until so many milliseconds. */
  const elsewhere = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  function call(id: string): void {
    for (const listener of listeners.get(id)?.calls ?? []) listener();
  }

  function tell(database: Database, topic: string, ids: readonly string[]): void {
    for (let first = 0; first < ids.length; first += MOST_IDS_A_NOTICE) {
      const part = ids.slice(first, first + MOST_IDS_A_NOTICE).join(',');
      // Not told: the stream shows it with its next heart-beat.
      tellServers(database, topic, `${node} ${part}`).catch(() => {});
    }
  }

  function tellAll(only?: Database): void {
    const byDatabase = new Map<Database, string[]>();
    for (const [id, { database }] of listeners) {
      if (only === undefined || only === database) {
        byDatabase.set(database, [...(byDatabase.get(database) ?? []), id]);
      }
    }
    for (const [database, ids] of byDatabase) tell(database, WATCHED_TOPIC, ids);
    for (const [id, until] of elsewhere) if (until < performance.now()) elsewhere.delete(id);
  }

  function read(text: string, each: (id: string) => void): void {
    const [from, ids = ''] = text.split(' ');
    if (from !== node) for (const id of ids.split(',')) each(id);
  }

  return {
    on(database, verificationId, listener) {
      const entry = listeners.get(verificationId) ?? { database, calls: new Set() };
      entry.calls.add(listener);
      listeners.set(verificationId, entry);
      tell(database, WATCHED_TOPIC, [verificationId]);
      timer ??= setInterval(tellAll, TELL_AGAIN_MILLISECONDS).unref();
      return () => {
        entry.calls.delete(listener);
        if (entry.calls.size === 0) listeners.delete(verificationId);
      };
    },
    changed(database, verificationIds) {
      const ids = [...new Set(verificationIds)].filter((id) => id !== null);
      for (const id of ids) call(id);
      if (elsewhere.size === 0) return;
      const now = performance.now();
      const watched = ids.filter((id) => (elsewhere.get(id) ?? 0) >= now);
      if (watched.length > 0) tell(database, STATUS_TOPIC, watched);
    },
    follow(database, feed) {
      feed.on(WATCHED_TOPIC, (text) =>
        read(text, (id) => elsewhere.set(id, performance.now() + WATCHED_MILLISECONDS)),
      );
      feed.on(STATUS_TOPIC, (text) => read(text, call));
      feed.onRestored(async () => {
        tellAll(database);
        for (const [id, entry] of listeners) if (entry.database === database) call(id);
      });
    },
    stop: () => clearInterval(timer),
  };
}
