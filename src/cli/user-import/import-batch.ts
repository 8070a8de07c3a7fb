import { recordEvent } from '../../audit/audit.ts';
import { type Database, isUniqueViolation, type Sql } from '../../db/database.ts';
import {
  advanceImport,
  findTaken,
  type ImportedUser,
  type ImportProgress,
  insertImported,
  USERNAME_INDEX,
} from '../../users/users.ts';
import { CliError } from '../errors.ts';
import type { RefusedRow } from './report.ts';

export interface Candidate {
  line: number;
  user: ImportedUser;
}

export interface BatchOptions {
  database: Database;
  tenantId: string;
  tenantSlug: string;
  fileName: string;
  newId: () => string;
}

const IDENTITIES_KEY = 'identities_pkey';
/** People sign up while an import runs: a batch that met one of them is looked at again. */
const MOST_TRIES = 5;

/** Splits candidates into those whose addresses and usernames are free, and those refused. */
export async function withoutTaken(
  sql: Sql,
  tenantId: string,
  candidates: readonly Candidate[],
): Promise<{ free: Candidate[]; refused: RefusedRow[] }> {
  const { addresses, usernames } = await findTaken(
    sql,
    tenantId,
    candidates.map(({ user }) => user),
  );
  const free: Candidate[] = [];
  const refused: RefusedRow[] = [];
  for (const candidate of candidates) {
    const { user, line } = candidate;
    const taken = user.identities.filter(({ kind, value }) => addresses.has(`${kind}:${value}`));
    const issues = taken.map(({ kind }) => ({
      path: `/${kind === 'telegram' ? 'telegram_user_id' : kind}`,
      message: 'belongs to an account that is here already',
    }));
    if (user.username !== null && usernames.has(user.username.toLowerCase())) {
      issues.push({ path: '/username', message: 'belongs to an account that is here already' });
    }
    if (issues.length > 0) refused.push({ line, issues });
    else free.push(candidate);
  }
  return { free, refused };
}

/**
 * Writes a batch and moves the mark on, in one transaction.
 * @param settle is told which rows were refused because taken, writes the report, and gives the mark to set
 */
export async function writeBatch(
  options: BatchOptions,
  candidates: readonly Candidate[],
  before: ImportProgress,
  settle: (imported: number, taken: readonly RefusedRow[]) => ImportProgress & { finished: boolean },
): Promise<ImportProgress> {
  const { database, tenantId } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.transaction(async (transaction) => {
        const sql = transaction as unknown as Sql;
        const now = database.now();
        const { free, refused } = await withoutTaken(sql, tenantId, candidates);
        await insertImported(
          sql,
          tenantId,
          free.map(({ user }) => user),
          now,
        );
        const after = settle(free.length, refused);
        if (!(await advanceImport(sql, tenantId, before, after, now))) {
          throw new CliError('Another import of this file is running. This one stops.');
        }
        if (after.finished) await auditImport(sql, options, after);
        return after;
      });
    } catch (fault) {
      const raced = isUniqueViolation(fault, IDENTITIES_KEY) || isUniqueViolation(fault, USERNAME_INDEX);
      if (!raced || attempt === MOST_TRIES) throw fault;
    }
  }
}

async function auditImport(sql: Sql, options: BatchOptions, progress: ImportProgress): Promise<void> {
  const { imported, refused } = progress;
  await sql`with finished as (select), audited as (${recordEvent(sql, {
    tenantId: options.tenantId,
    id: sql`${options.newId()}::uuid`,
    action: sql`'users.imported'`,
    actor: sql`'system'`,
    subject: sql`${`tenant:${options.tenantSlug}`}`,
    caller: undefined,
    now: options.database.now(),
    data: sql`jsonb_build_object('import', ${progress.id}::text, 'file', ${options.fileName}::text,
      'imported', ${imported}::bigint, 'refused', ${refused}::bigint)`,
    from: sql`finished`,
  })}) select`;
}
