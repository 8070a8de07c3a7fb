import { type Database, type Fragment, isRolledBack, type Sql } from '../db/database.ts';
import { createBatcher } from '../kernel/batcher.ts';
import { QueueFull } from '../kernel/queue-full.ts';
import type { Log } from '../kernel/log.ts';

/** Requests in one statement. One that fails costs its companions a statement each, so they are not too many. */
const MOST_TOGETHER = 32;

/** Well below deadlock_timeout (a second): whoever waits for a stranger's row does it alone. */
const LOCK_TIMEOUT = '200ms';
/** Statements that met a lock, a deadlock, two addresses of one account or a standby: to be expected now and then. */
const EXPECTED = new Set(['55P03', '40P01', '40001', '21000', '25006']);

/**
 * SQL: a condition, always true, of the first part of a shared statement. The rows that it chooses by are passed over
 * where they are held; what it writes besides (an address nobody knew, an identity) may still meet somebody else's
 * transaction, and all of its requests would wait for that.
 */
export function withoutWaiting(sql: Sql): Fragment {
  return sql`set_config('lock_timeout', ${LOCK_TIMEOUT}, true) is not null`;
}

/**
 * Writes what arrives together in one statement for each database. Undefined: the statement left this one out, or was
 * rolled back; nothing is written for it and it goes alone. Whatever else goes wrong rejects, as it would alone: whether
 * the statement was committed is not known then, and it must not run twice.
 */
export interface Together<I, O> {
  write(database: Database, item: I): Promise<O | undefined>;
  /** Throws QueueFull where `write` would: asked before anything is done for a request. */
  expectRoom(database: Database): void;
}

export interface TogetherOptions {
  log: Log;
  /** Past this, what comes is turned away (QueueFull) instead of queueing behind what nobody waits for any more. */
  longestQueueMilliseconds: number;
}

/**
 * Setting a composed statement up costs PostgreSQL more than running it, so requests that arrive while one is under way
 * share the next. An idle server sends at the end of the tick: nobody waits for company.
 * @param write one statement for all items; gives a result for each, in their order
 */
export function createTogether<I, O>(
  write: (database: Database, items: readonly I[]) => Promise<(O | undefined)[]>,
  { log, longestQueueMilliseconds }: TogetherOptions,
): Together<I, O> {
  const open = (database: Database) =>
    createBatcher<I, O | undefined>({
      maxBatch: MOST_TOGETHER,
      longestWaitMilliseconds: longestQueueMilliseconds,
      flush: async (items) => {
        try {
          return await write(database, items);
        } catch (error) {
          if (!isRolledBack(error)) throw error;
          const isExpected = EXPECTED.has((error as { code: string }).code);
          log[isExpected ? 'debug' : 'warn'](
            { event: 'separated', database: database.name, count: items.length, error },
            'a statement of several requests failed: each goes alone',
          );
          return items.map(() => undefined);
        }
      },
    });
  const batchers = new Map<Database, ReturnType<typeof open>>();
  return {
    write(database, item) {
      let batcher = batchers.get(database);
      if (!batcher) {
        batcher = open(database);
        batchers.set(database, batcher);
      }
      return batcher.add(item);
    },
    expectRoom(database) {
      if (batchers.get(database)?.hasRoom() === false) throw new QueueFull('too much waits already');
    },
  };
}
