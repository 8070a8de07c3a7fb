import { type Database, isDatabaseUnavailable } from '../db/database.ts';
import { createBatcher } from '../kernel/batcher.ts';
import type { Log } from '../kernel/log.ts';

/** Requests in one statement. One that fails costs its companions a statement each, so they are not too many. */
const MOST_TOGETHER = 32;

/**
 * Writes what arrives together in one statement for each database. Undefined: the statement left this one out, or was
 * rolled back; nothing is written for it and it goes alone. A database that is away rejects, as it would alone: whether
 * the statement was committed is not known then, and it must not run twice.
 */
export type Together<I, O> = (database: Database, item: I) => Promise<O | undefined>;

/**
 * Setting a composed statement up costs PostgreSQL more than running it, so requests that arrive while one is under way
 * share the next. An idle server sends at the end of the tick: nobody waits for company.
 * @param write one statement for all items; gives a result for each, in their order
 */
export function createTogether<I, O>(
  write: (database: Database, items: readonly I[]) => Promise<(O | undefined)[]>,
  log: Log,
): Together<I, O> {
  const open = (database: Database) =>
    createBatcher<I, O | undefined>({
      maxBatch: MOST_TOGETHER,
      flush: async (items) => {
        try {
          return await write(database, items);
        } catch (error) {
          if (isDatabaseUnavailable(error)) throw error;
          log.debug(
            { event: 'separated', database: database.name, count: items.length, error },
            'a statement of several requests failed: each goes alone',
          );
          return items.map(() => undefined);
        }
      },
    });
  const batchers = new Map<Database, ReturnType<typeof open>>();
  return (database, item) => {
    let batcher = batchers.get(database);
    if (!batcher) {
      batcher = open(database);
      batchers.set(database, batcher);
    }
    return batcher.add(item);
  };
}
