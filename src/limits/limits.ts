import type { Database, Fragment, Sql } from '../db/database.ts';
import { createBatcher } from '../kernel/batcher.ts';
import type { Clock } from '../kernel/clock.ts';
import { createLru } from '../kernel/lru.ts';
import {
  type AddressBudgetState,
  type Budgets,
  budgetsOf,
  explainFailures,
  explainSend,
  onlyWorkIsMissing,
  resendIn,
  WRONG_CODES_PER_CODE,
  wrongCodesLeft,
} from './policy.ts';
import { takePlainSendsFragment } from './plain-send-store.ts';
import {
  addToBuckets,
  comparisonsLeft,
  contestAddress,
  failuresInARow,
  type Kept,
  readBucket,
  reopenFragment,
  sweepLimits,
  takeBack,
  type TakeSend,
  takeSendFragment,
} from './store.ts';

export { type AddressUse, forgetAddresses, readAddressUse } from './person-store.ts';
export type { AddressBudgetState, Budgets, Kept };
export { budgetsOf, sweepLimits, WRONG_CODES_PER_CODE };

/** The budgets of one deployment, as SQL for the statements that spend them and as words for the refusals. */
export interface AddressBudgets {
  /** `insert …` for a `with` list: one row (taken, due, sent_at, failed_at, failures_in_a_row, strangers_in_a_row, kept, kept_sends). */
  takeSend(sql: Sql, take: Omit<TakeSend, 'budgets'>): Fragment;
  /** Entries of a `with` list after `given` (tenant_id, kind, value, id): takes the sends that need no judging. */
  takePlainSends(sql: Sql, now: Fragment): Fragment;
  /** A number over `b`, a row of address_budgets: how many more codes may be compared? */
  comparisonsLeft(sql: Sql, now: Fragment): Fragment;
  /** A number over `b`: wrong codes in a row as they count now. */
  failuresInARow(sql: Sql, kept: Kept): Fragment;
  /** `update …` for a `with` list: opens these addresses (SQL: rows of kind, value) again; gives those that were closed. */
  reopen(sql: Sql, tenantId: string, addresses: Fragment): Fragment;
  /** So many in a row close it. */
  inARow: number;
  /** So many, of codes that anybody may have asked for, go free. */
  freeInARow: number;
  /** Remembers that another password than the waiting one was typed for an address. */
  contest(
    database: Database,
    place: { tenantId: string; kind: string; value: string; takenBy: string },
  ): Promise<void>;
  explainSend(state: AddressBudgetState): ReturnType<typeof explainSend>;
  /** Would a solved challenge alone have let a refused send out? */
  onlyWorkIsMissing(state: AddressBudgetState & { strangersInARow: number }, patient: boolean): boolean;
  explainFailures(state: AddressBudgetState): ReturnType<typeof explainFailures>;
  wrongCodesLeft(state: AddressBudgetState): number;
  /** Wrong codes that a new code of an address bears for which nothing was guessed wrong. */
  attemptsAtPeace(): number;
  /** Seconds a screen should wait before it offers to send again. */
  resendIn(): number;
}

/** Binds the configured budgets to the statements and the words. */
export function createAddressBudgets(budgets: Budgets): AddressBudgets {
  return {
    takeSend: (sql, take) => takeSendFragment(sql, { ...take, budgets }),
    takePlainSends: (sql, now) => takePlainSendsFragment(sql, budgets, now),
    comparisonsLeft: (sql, now) => comparisonsLeft(sql, budgets, now),
    failuresInARow: (sql, kept) => failuresInARow(sql, budgets, kept),
    reopen: (sql, tenantId, addresses) => reopenFragment(sql, tenantId, addresses, budgets.wrongCodesInARow),
    inARow: budgets.wrongCodesInARow,
    freeInARow: budgets.freeWrongCodesInARow,
    contest: (database, place) => contestAddress(database.sql, place, database.now()),
    explainSend: (state) => explainSend(state, budgets),
    onlyWorkIsMissing: (state, patient) => onlyWorkIsMissing(state, patient, budgets),
    explainFailures: (state) => explainFailures(state, budgets),
    wrongCodesLeft: (state) => wrongCodesLeft(state, budgets),
    attemptsAtPeace: () =>
      Math.min(WRONG_CODES_PER_CODE, budgets.wrongCodesPerHour, budgets.wrongCodesPerDay),
    resendIn: () => resendIn(budgets),
  };
}

/** Counters of callers, shared by all servers through the database. */
export interface CallerBuckets {
  /**
   * Takes one from a counter.
   * @param key what is counted, e.g. `send:203.0.113.7`
   * @param limit how many a window holds
   * @param windowSeconds how long a window lasts, from its first use
   * @param mayReturn what is taken may be given back: a refusal then counts nothing itself, and holds for a moment only
   */
  take(key: string, limit: number, windowSeconds: number, mayReturn?: boolean): Promise<Take>;
  /** Gives one back: what was counted first, so that many at once could not slip by, was no failure. */
  giveBack(key: string): Promise<void>;
  /** Seconds for which this server refuses the key from memory; 0 where it has to ask. */
  refusedFor(key: string): number;
  /** How many are left, without taking one. */
  left(key: string, limit: number): Promise<number>;
}

export interface Take {
  allowed: boolean;
  /** How many are left after this one. */
  left: number;
  /** Seconds until the window ends; 0 when allowed. */
  retryAfter: number;
}

interface Taken {
  position: number;
  endsIn: number;
}

/** What is under way may turn out to be no failure: so long at most others are refused for it unasked. */
const REFUSED_MILLISECONDS = 1000;

/**
 * Takes that arrive while a statement is under way are gathered into the next one, a row a key: a caller behind one
 * busy address costs one statement for many requests. A caller who is over the limit is refused from memory.
 */
export function createCallerBuckets(database: Database, clock: Clock): CallerBuckets {
  const exhausted = createLru<string, number>(10_000);
  const batcher = createBatcher<{ key: string; windowSeconds: number }, Taken>({
    maxBatch: 500,
    async flush(items) {
      const counts = new Map<string, { key: string; windowSeconds: number; count: number }>();
      for (const item of items) {
        const entry = counts.get(item.key);
        if (entry) entry.count++;
        else counts.set(item.key, { ...item, count: 1 });
      }
      const takes = [...counts.values()].sort((left, right) => (left.key < right.key ? -1 : 1));
      const rows = await addToBuckets(database.sql, takes, database.now());
      const next = new Map(
        rows.map((row) => [
          row.key,
          { position: row.count - (counts.get(row.key)?.count ?? 0), endsIn: row.ends_in },
        ]),
      );
      return items.map((item) => {
        const state = next.get(item.key) ?? { position: Number.MAX_SAFE_INTEGER, endsIn: 1 };
        state.position++;
        return { position: state.position, endsIn: state.endsIn };
      });
    },
  });
  return {
    async take(key, limit, windowSeconds, mayReturn = false) {
      const now = clock.now().getTime();
      const until = exhausted.get(key);
      if (until !== undefined) {
        if (until > now) return { allowed: false, left: 0, retryAfter: Math.ceil((until - now) / 1000) };
        exhausted.delete(key);
      }
      const { position, endsIn } = await batcher.add({ key, windowSeconds });
      if (position <= limit) return { allowed: true, left: limit - position, retryAfter: 0 };
      const retryAfter = Math.max(1, endsIn);
      if (mayReturn) await takeBack(database.sql, key, database.now());
      exhausted.set(key, now + (mayReturn ? REFUSED_MILLISECONDS : retryAfter * 1000));
      return { allowed: false, left: 0, retryAfter };
    },
    refusedFor: (key) => Math.max(0, Math.ceil(((exhausted.get(key) ?? 0) - clock.now().getTime()) / 1000)),
    giveBack: (key) => takeBack(database.sql, key, database.now()),
    left: async (key, limit) => Math.max(0, limit - (await readBucket(database.sql, key, database.now()))),
  };
}
