import { type GivenMessage, givenMessageColumns, queueEachFragment } from './given-store.ts';
import type { Database, Fragment, Sql } from '../db/database.ts';
import {
  type ClaimedMessage,
  claimDue,
  OUTBOX_TOPIC,
  queueFragment,
  type QueueMessage,
  releaseLeases,
  type SettledMessage,
  type Settlement,
  settle,
  sweepMessages,
} from './store.ts';
import { type MessageStatus, readHandedOver, readMessageStatus } from './status-store.ts';
import { type DeliveryCounts, readDeliveryCounts, readSpeeds } from './stats-store.ts';
import { type QueueState, readQueue } from './queue-store.ts';
import { readCarried } from './carried-store.ts';
import { applyReport, type ReportedSend, type SendReport } from './report-store.ts';

export { eraseMessages, readSentTo, type SentRow } from './person-store.ts';
export type { DeliveryCounts, QueueState };
export type { ClaimedMessage, GivenMessage, QueueMessage, ReportedSend, SettledMessage, Settlement };
export { givenMessageColumns };
export { OUTBOX_TOPIC, readCarried, sweepMessages };

/** Longer than any provider's time-out, shorter than a person's patience with a dead server. */
const LEASE_SECONDS = 30;

/** Durable messages with leases and states. Knows nothing of what they say or who carries them. */
export interface Outbox {
  /** The name under which this server holds leases. */
  readonly node: string;
  /** `insert …` for the `with` list of the statement that causes the message. */
  queue(sql: Sql, message: Omit<QueueMessage, 'leasedBy' | 'leaseSeconds'>): Fragment;
  /** The same for each row of `from`, a query of `given g` with the columns of GivenMessage: all due at once. */
  queueEach(sql: Sql, now: Fragment, from: Fragment): Fragment;
  /**
   * Leases due messages to this server, but for those of channels it has enough of (`full`) or that nothing can leave by
   * at the moment (`shut`: what has another channel left is taken all the same).
   */
  claim(
    database: Database,
    limit: number,
    except: { full: readonly string[]; shut: readonly string[] },
  ): Promise<ClaimedMessage[]>;
  settle(database: Database, settlements: readonly Settlement[]): Promise<SettledMessage[]>;
  /** Writes a delivery report; undefined when this database does not know the message. */
  report(database: Database, report: SendReport): Promise<ReportedSend | undefined>;
  /** How the newest message of a verification stands. */
  status(database: Database, tenantId: string, verificationId: string): Promise<MessageStatus | undefined>;
  /** What providers have taken of a verification's messages, the newest first. */
  handedOver: typeof readHandedOver;
  /** What became of what was handed to providers. */
  counts: typeof readDeliveryCounts;
  /** How fast providers were of late. */
  speeds: typeof readSpeeds;
  /** What should be on its way, by channel. */
  queued(database: Database): Promise<QueueState[]>;
  /** Hands back every lease, at a graceful stop. */
  release(database: Database): Promise<unknown>;
}

/** @param node a UUID of this server process */
export function createOutbox(node: string): Outbox {
  return {
    node,
    queue: (sql, message) => queueFragment(sql, { ...message, leasedBy: node, leaseSeconds: LEASE_SECONDS }),
    queueEach: (sql, now, from) =>
      queueEachFragment(sql, { now, leasedBy: node, leaseSeconds: LEASE_SECONDS, from }),
    claim: (database, limit, except) =>
      claimDue(database, { node, limit, leaseSeconds: LEASE_SECONDS, ...except }),
    settle: (database, settlements) => settle(database, node, settlements),
    report: applyReport,
    status: readMessageStatus,
    handedOver: readHandedOver,
    counts: readDeliveryCounts,
    speeds: readSpeeds,
    queued: (database) => readQueue(database, LEASE_SECONDS),
    release: (database) => releaseLeases(database, node),
  };
}
