import type { Database, Fragment, Sql } from '../db/database.ts';
import {
  type ClaimedMessage,
  claimDue,
  queueFragment,
  type QueueMessage,
  releaseLeases,
  type Settlement,
  settle,
  sweepMessages,
} from './store.ts';

export type { ClaimedMessage, QueueMessage, Settlement };
export { sweepMessages };

/** Longer than any provider's time-out, shorter than a person's patience with a dead server. */
const LEASE_SECONDS = 30;

/** Durable messages with leases and states. Knows nothing of what they say or who carries them. */
export interface Outbox {
  /** The name under which this server holds leases. */
  readonly node: string;
  /** `insert …` for the `with` list of the statement that causes the message. */
  queue(sql: Sql, message: Omit<QueueMessage, 'leasedBy' | 'leaseSeconds'>): Fragment;
  /** Leases due messages to this server, but for those of channels it has enough of. */
  claim(database: Database, limit: number, exceptChannels: readonly string[]): Promise<ClaimedMessage[]>;
  settle(database: Database, settlements: readonly Settlement[]): Promise<number>;
  /** Hands back every lease, at a graceful stop. */
  release(database: Database): Promise<number>;
}

/** @param node a UUID of this server process */
export function createOutbox(node: string): Outbox {
  return {
    node,
    queue: (sql, message) => queueFragment(sql, { ...message, leasedBy: node, leaseSeconds: LEASE_SECONDS }),
    claim: (database, limit, except) => claimDue(database, node, limit, LEASE_SECONDS, except),
    settle: (database, settlements) => settle(database, node, settlements),
    release: (database) => releaseLeases(database, node),
  };
}
