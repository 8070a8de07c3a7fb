import type { Database } from '../db/database.ts';
import { type Batcher, createBatcher } from '../kernel/batcher.ts';
import type { Log } from '../kernel/log.ts';
import type { Outbox, SettledMessage, Settlement } from '../outbox/outbox.ts';

export interface SettlingOptions {
  outbox: Outbox;
  log: Log;
  /** What was written about messages; another way is due at once when `due`. */
  onSettled: (database: Database, messages: readonly SettledMessage[], due: boolean) => void;
}

/** Writes how messages went: those of one moment in one statement. */
export interface Settling {
  /** Tells whether it was written: not where the message is another server's by now. Never rejects. */
  settle(database: Database, settlement: Settlement): Promise<boolean>;
  drain(): Promise<void>;
}

export function createSettling({ outbox, log, onSettled }: SettlingOptions): Settling {
  const settlers = new Map<Database, Batcher<Settlement, boolean>>();

  function settlerOf(database: Database): Batcher<Settlement, boolean> {
    let settler = settlers.get(database);
    if (!settler) {
      settler = createBatcher<Settlement, boolean>({
        maxBatch: 200,
        async flush(settlements) {
          const settled = await outbox.settle(database, settlements);
          const due = settlements.some((one) => one.state === 'queued' && one.retryInSeconds === 0);
          onSettled(database, settled, due);
          const written = new Set(settled.map(({ id }) => id));
          return settlements.map(({ id }) => written.has(id));
        },
      });
      settlers.set(database, settler);
    }
    return settler;
  }

  return {
    async settle(database, settlement) {
      try {
        return await settlerOf(database).add(settlement);
      } catch (error) {
        // The lease runs out and the message is claimed again: at most one duplicate, with the same code.
        log.warn(
          { event: 'settle_failed', message_id: settlement.id, error },
          'how a message went could not be written',
        );
        return false;
      }
    },
    async drain() {
      await Promise.all([...settlers.values()].map((settler) => settler.drain()));
    },
  };
}
