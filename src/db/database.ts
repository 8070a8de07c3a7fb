import type postgres from 'postgres';
import { connectPostgres } from './driver.ts';
import type { Clock } from '../kernel/clock.ts';
import { createSql, STATEMENT_UNANSWERED } from './sql.ts';

export type Sql = postgres.Sql;
/** A piece of SQL with its parameters, to be placed inside a statement. Never await one. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** Where a database is: a URL, or the settings of the embedded server. */
export type DatabaseAddress =
  | { url: string }
  | { host: string; port: number; username: string; password: string; database: string };

export interface DatabaseOptions {
  /** How the rest of the server calls it: `control`, or the slug of a market. */
  name: string;
  address: DatabaseAddress;
  clock: Clock;
  /** Open connections at most. */
  maxConnections: number;
  /** False behind a PgBouncer older than 1.21 in transaction mode. */
  prepare: boolean;
}

/** One PostgreSQL database: a small pool, prepared and pipelined, and the clock that decides in it. */
export interface Database {
  readonly name: string;
  readonly sql: Sql;
  /** SQL for the present moment: PostgreSQL's now(), or the injected clock's time in tests. */
  now(): Fragment;
  /**
   * Runs the work in one transaction; rolled back when it throws, and run again, three times at most, when PostgreSQL
   * ended it as the loser of a deadlock: work leaves nothing behind but what it returns.
   */
  transaction<T>(work: (sql: postgres.TransactionSql) => Promise<T>): Promise<T>;
  /** Answers when the database does and takes writes; rejects within the time-out otherwise. */
  ping(timeoutMilliseconds: number): Promise<void>;
  close(): Promise<void>;
}

/** Several seconds of statements: nobody waits so long. Wide enough for what a start or a program asks at once. */
const MOST_UNANSWERED_PER_CONNECTION = 1000;

/** Connects lazily: the first query opens the first connection. */
export function createDatabase(options: DatabaseOptions): Database {
  const settings: postgres.Options<Record<string, never>> = {
    max: options.maxConnections,
    prepare: options.prepare,
    // A dead database must be an answer within seconds, and a living one must be found again as soon.
    connect_timeout: 3,
    backoff: (attempt) => Math.min(0.05 * 2 ** attempt, 0.5),
    max_lifetime: 60 * 60,
    onnotice: () => {},
    connection: {
      application_name: 'firstproof',
      statement_timeout: 10_000,
      idle_in_transaction_session_timeout: 30_000,
      // Plans of the composed statements never depend on the values; planning each time would double their cost.
      plan_cache_mode: 'force_generic_plan',
      jit: 'off',
    },
  };
  const { address } = options;
  const driver =
    'url' in address ? connectPostgres(address.url, settings) : connectPostgres({ ...settings, ...address });
  const { clock } = options;
  const sql = createSql(driver, options.prepare, MOST_UNANSWERED_PER_CONNECTION * options.maxConnections);
  return {
    name: options.name,
    sql,
    now: () => (clock.injected ? sql`${clock.now().toISOString()}::timestamptz` : sql`now()`),
    transaction: (work) =>
      withConflictRetry(() => sql.begin(work) as Promise<Awaited<ReturnType<typeof work>>>),
    async ping(timeoutMilliseconds) {
      const query = driver<{ reads_only: boolean }[]>`select pg_is_in_recovery() as reads_only`;
      const timer = setTimeout(() => query.cancel(), timeoutMilliseconds);
      const late = new Promise<never>((_, reject) => {
        setTimeout(
          () => reject(new Error('the database did not answer in time')),
          timeoutMilliseconds,
        ).unref();
      });
      try {
        const [row] = await Promise.race([query, late]);
        if (row?.reads_only) throw new Error('the database is a standby that nobody has promoted');
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => driver.end({ timeout: 5 }),
  };
}

/**
 * Byte strings as a parameter of type text[], in hexadecimal: the driver has no form for arrays of bytea. Read each
 * with decode(…, 'hex').
 */
export function hexArray(values: readonly (Uint8Array | null)[]): (string | null)[] {
  return values.map(
    (value) => value && Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex'),
  );
}

/** SQLSTATEs of a server that is going, gone, full or not yet promoted; and the driver's own words for a lost connection. */
const UNAVAILABLE = new Set([
  '25006',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '53300',
  '57014',
  '08000',
  '08001',
  '08003',
  '08006',
  '08007',
  '08P01',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  STATEMENT_UNANSWERED,
  'QUEUE_FULL',
]);

/** Is this fault a database that is away for now (answer 503, ask to come back), not a defect of ours? */
export function isDatabaseUnavailable(fault: unknown): boolean {
  const code = (fault as { code?: unknown } | null)?.code;
  return typeof code === 'string' && UNAVAILABLE.has(code);
}

/**
 * Did PostgreSQL itself refuse or cancel this statement, so that nothing of it is written? Of whatever else went wrong
 * (a lost connection, a pooler's own words, an answer that could not be read) the end is not known.
 */
export function isRolledBack(fault: unknown): boolean {
  const { severity, code } = (fault ?? {}) as { severity?: unknown; code?: unknown };
  return severity === 'ERROR' && typeof code === 'string' && !/^(08|57P)/.test(code);
}

/** Did the statement break this unique index? */
export function isUniqueViolation(fault: unknown, index: string): boolean {
  const error = fault as { code?: unknown; constraint_name?: unknown } | null;
  return error?.code === '23505' && error.constraint_name === index;
}

/**
 * Runs a statement again when PostgreSQL ended it as the loser of a deadlock or a serialisation conflict. Safe
 * because such a statement left nothing behind.
 */
export async function withConflictRetry<T>(statement: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await statement();
    } catch (fault) {
      const code = (fault as { code?: unknown } | null)?.code;
      if ((code !== '40P01' && code !== '40001') || attempt === 3) throw fault;
    }
  }
}
