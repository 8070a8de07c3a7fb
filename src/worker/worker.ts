import type { AuditTrail } from '../audit/audit.ts';
import type { Database } from '../db/database.ts';
import type { Delivery, DevelopmentInbox } from '../delivery/delivery.ts';
import { sweepUpdates } from '../chats/chats.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Keys } from '../keys/keys.ts';
import { sweepIdempotency } from '../idempotency/idempotency.ts';
import { sweepLimits } from '../limits/limits.ts';
import { sweepMessages } from '../outbox/outbox.ts';
import { sweepRegistrations } from '../registrations/registrations.ts';
import { type Sessions, sweepSessions } from '../sessions/sessions.ts';
import { sweepTelegramProofs } from '../telegram-proofs/telegram-proofs.ts';
import { type Notices, sweepNotices } from '../notices/notices.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { sweepTolls } from '../tolls/tolls.ts';
import { sweepVerifications } from '../verification/verification.ts';

export interface WorkerOptions {
  audit: AuditTrail;
  databases: readonly Database[];
  delivery: Delivery;
  notices: Notices;
  sessions: Sessions;
  keys: Keys;
  tenants: Tenants;
  clock: Clock;
  log: Log;
  inbox: DevelopmentInbox | undefined;
  /** Looks where messages that cost money go to nobody. */
  watch: () => Promise<void>;
}

/** The loops that run beside the requests. Every server runs them; the database shares the work out. */
export interface Worker {
  start(): void;
  /** One round of a loop, as tests call it. */
  dispatch(): Promise<void>;
  chainAudit(): Promise<void>;
  pruneAudit(): Promise<void>;
  sweep(): Promise<void>;
  rotateKeys(): Promise<void>;
  stop(): Promise<void>;
}

const DISPATCH_EVERY = 1000;
const FLUSH_USES_EVERY = 5000;
const CHAIN_EVERY = 5000;
const PRUNE_EVERY = 3_600_000;
const SWEEP_EVERY = 60_000;
const ROTATE_EVERY = 3_600_000;

const SWEEP_BATCH = 1000;
const KEEP_VERIFICATIONS_SECONDS = 7 * 86_400;
const KEEP_MESSAGES_SECONDS = 7 * 86_400;
const KEEP_ENDED_SESSIONS_SECONDS = 30 * 86_400;
/** Telegram brings no update again that is older than a day. */
const KEEP_UPDATES_SECONDS = 2 * 86_400;
const KEEP_INBOX_MESSAGES = 10_000;
/** A signing key signs for so long before the next one takes over. */
const KEY_LIFE_MILLISECONDS = 30 * 86_400_000;

export function createWorker(options: WorkerOptions): Worker {
  const { databases, delivery, sessions, log } = options;
  const timers: NodeJS.Timeout[] = [];
  const running = new Set<Promise<void>>();
  let stopped = false;

  async function dispatch(): Promise<void> {
    await eachDatabase(async (database) => {
      while ((await options.notices.deliverDue(database)) > 0 && !stopped);
      await delivery.dispatchDue(database);
    });
  }

  async function chainAudit(): Promise<void> {
    await eachDatabase(async (database) => {
      await options.audit.chain(database);
    });
  }

  /** Removes what is older than its tenant keeps, and notes in the log where each chain stands. */
  async function pruneAudit(): Promise<void> {
    await eachDatabase(async (database) => {
      for (const tenantId of await options.audit.tenants(database)) {
        const tenant = options.tenants.byId(tenantId);
        const days = tenant?.policy.audit.retentionDays;
        if (days !== undefined) {
          await untilEmpty(() => options.audit.prune(database, tenantId, days));
        }
        const head = await options.audit.head(database, tenantId);
        if (!head) continue;
        const anchor = `${head.position}:${head.hash}`;
        log.info(
          { event: 'audit_anchor', tenant: tenant?.slug ?? tenantId, anchor },
          'the audit trail stands here',
        );
      }
    });
  }

  async function sweep(): Promise<void> {
    await eachDatabase(async (database) => {
      await sessions.endExpired(database);
      await sessions.endIdle(database);
      await delivery.refresh(database);
      await untilEmpty(() => sweepLimits(database.sql, database.now(), SWEEP_BATCH));
      await untilEmpty(() => sweepIdempotency(database, SWEEP_BATCH));
      await untilEmpty(() => sweepRegistrations(database, SWEEP_BATCH));
      await untilEmpty(() => sweepVerifications(database, KEEP_VERIFICATIONS_SECONDS, SWEEP_BATCH));
      await untilEmpty(() => sweepTelegramProofs(database, SWEEP_BATCH));
      await untilEmpty(() => sweepMessages(database, KEEP_MESSAGES_SECONDS, SWEEP_BATCH));
      await untilEmpty(() => sweepNotices(database, SWEEP_BATCH));
      await untilEmpty(() => sweepSessions(database, KEEP_ENDED_SESSIONS_SECONDS, SWEEP_BATCH));
      await untilEmpty(() => sweepUpdates(database, KEEP_UPDATES_SECONDS, SWEEP_BATCH));
    });
    await options.watch();
    const [control] = databases;
    if (control) await untilEmpty(() => sweepTolls(control.sql, control.now(), SWEEP_BATCH));
    await options.inbox?.trim(KEEP_INBOX_MESSAGES);
  }

  /** One after the other; one that is away keeps its own work waiting and nobody else's. */
  async function eachDatabase(work: (database: Database) => Promise<void>): Promise<void> {
    const faults: unknown[] = [];
    for (const database of databases) {
      await work(database).catch((fault: unknown) => faults.push(fault));
    }
    if (faults.length > 0) throw faults[0];
  }

  /** In batches, so that no sweep holds its locks for long; and bounded, so that none runs for ever. */
  async function untilEmpty(batch: () => Promise<number>): Promise<void> {
    for (let round = 0; round < 100 && !stopped; round++) {
      if ((await batch()) < SWEEP_BATCH) return;
    }
  }

  async function rotateKeys(): Promise<void> {
    const now = options.clock.now().getTime();
    for (const tenant of options.tenants.all()) {
      const since = options.keys.activeSince(tenant.id);
      if (!since || now - since.getTime() <= KEY_LIFE_MILLISECONDS) continue;
      try {
        const rotated = await options.keys.rotate(tenant.id, { emergency: false, actor: 'system' });
        if (rotated) log.info({ event: 'key_rotated', tenant: tenant.slug }, 'signing key rotated');
      } catch (error) {
        // A market that is away keeps its key for another round; the others get theirs.
        log.warn({ event: 'key_not_rotated', tenant: tenant.slug, error }, 'a signing key was not rotated');
      }
    }
  }

  function every(milliseconds: number, name: string, work: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy || stopped) return;
      busy = true;
      const round = work()
        .catch((error: unknown) =>
          log.warn({ event: `worker_${name}`, error }, `worker round failed: ${name}`),
        )
        .finally(() => {
          busy = false;
          running.delete(round);
        });
      running.add(round);
    }, milliseconds);
    timers.push(timer.unref());
  }

  return {
    dispatch,
    chainAudit,
    pruneAudit,
    sweep,
    rotateKeys,
    start() {
      every(DISPATCH_EVERY, 'dispatch', dispatch);
      every(FLUSH_USES_EVERY, 'uses', () => sessions.flushUses());
      every(CHAIN_EVERY, 'audit', chainAudit);
      every(PRUNE_EVERY, 'audit_prune', pruneAudit);
      every(SWEEP_EVERY, 'sweep', sweep);
      every(ROTATE_EVERY, 'keys', rotateKeys);
    },
    async stop() {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
      await Promise.all(running);
      await sessions.flushUses().catch(() => {});
      await delivery.stop(databases);
    },
  };
}
