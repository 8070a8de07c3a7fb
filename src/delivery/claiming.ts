import { type Database, isDatabaseUnavailable } from '../db/database.ts';
import type { Log } from '../kernel/log.ts';
import { openText, type Secrets } from '../kernel/secrets.ts';
import type { ClaimedMessage, Outbox } from '../outbox/outbox.ts';
import type { Dispatcher } from './dispatcher.ts';
import { MOST_CLAIMS } from './policy.ts';
import type { MessageContent } from './provider.ts';
import { heldToll, sealingContextOf } from './task.ts';

export interface ClaimingOptions {
  outbox: Outbox;
  secrets: Secrets;
  log: Log;
  dispatcher: Dispatcher;
  /** Messages were taken on: how they stand has changed. */
  onClaimed: (database: Database, messages: readonly ClaimedMessage[]) => void;
}

/** Leases what is due and gives it to the dispatcher, no more than it can take on. */
export interface Claiming {
  /** Looks for due messages soon, without anybody waiting for it. */
  wake(database: Database): void;
  /** Looks again wherever more was due than could be taken on. */
  wakeWithMore(): void;
  /** One claim at a time in a database; who comes meanwhile gets a round of their own after it. */
  dispatchDue(database: Database): Promise<number>;
  /** Takes on nothing more. */
  stop(): void;
  /** Resolves when no claim is under way any more. */
  drained(): Promise<unknown>;
}

export function createClaiming({ outbox, secrets, log, dispatcher, onClaimed }: ClaimingOptions): Claiming {
  /** Databases in which more was due than could be taken on. */
  const withMore = new Set<Database>();
  const claiming = new Map<Database, Promise<number>>();
  let stopping = false;

  function wake(database: Database): void {
    if (stopping) return;
    withMore.delete(database);
    setImmediate(() => {
      dispatchDue(database).catch((error: unknown) => {
        // The worker's next round looks again.
        if (!isDatabaseUnavailable(error)) {
          log.warn(
            { event: 'dispatch_failed', database: database.name, error },
            'due messages were not read',
          );
        }
      });
    });
  }

  function dispatchDue(database: Database): Promise<number> {
    const before = claiming.get(database) ?? Promise.resolve(0);
    const round = before.then(
      () => claimAll(database),
      () => claimAll(database),
    );
    claiming.set(database, round);
    return round;
  }

  async function claimAll(database: Database): Promise<number> {
    let total = 0;
    while (!stopping) {
      const { room, full, shut } = dispatcher.capacity();
      // No more than can be tried soon: a claim counts as an attempt, and its lease runs.
      const limit = Math.min(room, 100);
      const claimed = await outbox.claim(database, limit, { full, shut });
      onClaimed(database, claimed);
      await Promise.all(claimed.map((message) => takeClaimed(database, message)));
      total += claimed.length;
      if (full.length > 0 || claimed.length >= limit) withMore.add(database);
      if (claimed.length < limit) break;
      // The lanes take on what was found, and perhaps have room again.
      await new Promise((resolve) => setImmediate(resolve));
      if (dispatcher.capacity().full.length > full.length) break;
    }
    return total;
  }

  async function takeClaimed(database: Database, message: ClaimedMessage): Promise<void> {
    const { tenant_id: tenantId, id, channel, plan, tried, attempts, expires_in: expiresIn } = message;
    const content = openPayload(message);
    const toll = heldToll(message.toll_micros, message.toll_seconds_ago);
    const leasedAt = performance.now();
    const claimed = { database, tenantId, id, channel, plan, tried, attempts, expiresIn, leasedAt, toll };
    if (message.too_late) {
      await dispatcher.end({ ...claimed, content }, 'abandoned', 'expired or used before it could be sent');
    } else if (message.attempts > MOST_CLAIMS) {
      // Its earlier tries ended with the servers that made them: perhaps because of it.
      await dispatcher.end({ ...claimed, content }, 'failed', 'no server lived to settle it');
    } else if (content === null) {
      const error = 'sealed with a secret that is no longer configured';
      await dispatcher.end({ ...claimed, content }, 'failed', error);
    } else {
      dispatcher.take({ ...claimed, content });
    }
  }

  /** Null where it cannot be opened: that must not hold up the others. */
  function openPayload({ id, payload_sealed: payload }: ClaimedMessage): MessageContent | null {
    const text = openText(secrets, payload, sealingContextOf(id));
    return text === undefined ? null : (JSON.parse(text) as MessageContent);
  }

  return {
    wake,
    wakeWithMore() {
      for (const database of withMore) wake(database);
    },
    dispatchDue: (database) => (stopping ? Promise.resolve(0) : dispatchDue(database)),
    stop() {
      stopping = true;
    },
    drained: () => Promise.allSettled(claiming.values()),
  };
}
