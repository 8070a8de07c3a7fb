import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Database } from '../db/database.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { beginImport, findUnfinishedImport, type ImportProgress } from '../users/users.ts';
import { CliError } from './errors.ts';
import { type BatchOptions, type Candidate, withoutTaken, writeBatch } from './user-import/import-batch.ts';
import { createProgress } from './user-import/progress.ts';
import { readUser } from './user-import/read-user.ts';
import { openReport, type RefusedRow } from './user-import/report.ts';
import { type Format, formatOf, readRows, type Row } from './user-import/rows.ts';
import { createSeen } from './user-import/seen.ts';

export interface ImportOptions {
  /** csv or jsonl; told by the file's name otherwise. */
  format?: string;
  /** Looks at everything and writes nothing. */
  dryRun?: boolean;
  /** Goes on where an earlier import of this file stopped. */
  resume?: boolean;
  /** Where refused rows are told; FILE.refused.jsonl (FILE.dry-run.jsonl for a dry run) otherwise. */
  report?: string;
}

/** What an import needs of the server. */
export interface ImportTools {
  database: Database;
  tenant: Tenant;
  newId: () => string;
  now: () => Date;
  /** True once the person at the terminal wants to stop: the batch under way is finished. */
  stopped: () => boolean;
}

export interface ImportOutcome {
  rows: number;
  imported: number;
  refused: number;
  /** The file that tells of the refused rows, if there are any. */
  report: string | undefined;
  /** False: it was stopped, and may be resumed. */
  finished: boolean;
}

const BATCH = 500;

/**
 * Brings existing users in: a stream of rows, a batch a transaction, and a mark of how far it came in the same one. A
 * killed import resumes exactly there. Rows that cannot be taken are refused with a reason and never stop the others.
 * @throws CliError where the file as a whole cannot be used
 */
export async function importUsers(
  tools: ImportTools,
  file: string,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const { database, tenant } = tools;
  const format = chooseFormat(file, options.format);
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new CliError(`There is no file ${file}.`);
  const path = options.report ?? `${file}.${options.dryRun ? 'dry-run' : 'refused'}.jsonl`;
  const from = options.dryRun ? NOTHING : await findStart(tools, file, options.resume ?? false);
  const report = openReport(path, from.reportBytes);
  const progress = createProgress(process.stderr, size, () => performance.now());
  const batchOptions: BatchOptions = {
    database,
    tenantId: tenant.id,
    tenantSlug: tenant.slug,
    fileName: basename(file),
    newId: tools.newId,
  };
  const seen = createSeen(options.dryRun ?? false);
  let mark = from;
  let batch: Row[] = [];

  const flush = async (finished: boolean): Promise<void> => {
    const { candidates, refused } = sift(tools, batch, seen);
    const settle = (imported: number, taken: readonly RefusedRow[]) => {
      const rows = [...refused, ...taken].sort((one, other) => one.line - other.line);
      return {
        id: mark.id,
        rowsDone: mark.rowsDone + batch.length,
        imported: mark.imported + imported,
        refused: mark.refused + rows.length,
        reportBytes: report.write(mark.reportBytes, rows),
        finished,
      };
    };
    if (options.dryRun) {
      const { free, refused: taken } = await withoutTaken(database.sql, tenant.id, candidates);
      mark = settle(free.length, taken);
    } else {
      mark = await writeBatch(batchOptions, candidates, mark, settle);
    }
    const { bytes = size } = batch.at(-1) ?? {};
    progress.tell({ bytes, rows: mark.rowsDone, refused: mark.refused });
    batch = [];
  };

  let finished = true;
  try {
    let row = 0;
    for await (const read of readRows(file, format)) {
      if (++row <= from.rowsDone) continue;
      batch.push(read);
      if (batch.length < BATCH) continue;
      await flush(false);
      if (!tools.stopped()) continue;
      finished = false;
      break;
    }
    if (finished) await flush(true);
  } finally {
    progress.end();
    report.close();
  }
  const { rowsDone: rows, imported, refused } = mark;
  return { rows, imported, refused, report: refused > 0 ? path : undefined, finished };
}

const NOTHING: ImportProgress = { id: '', rowsDone: 0, imported: 0, refused: 0, reportBytes: 0 };

function chooseFormat(file: string, wish: string | undefined): Format {
  const format = wish ?? formatOf(file);
  if (format === 'csv' || format === 'jsonl') return format;
  throw new CliError('Say what the file is: --format csv or --format jsonl', 2);
}

/** The mark to go on from: a new one, or the one of the import that stopped. */
async function findStart(tools: ImportTools, file: string, resume: boolean): Promise<ImportProgress> {
  const { database, tenant } = tools;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  const fileHash = hash.digest();
  const unfinished = await findUnfinishedImport(database.sql, tenant.id, fileHash);
  if (unfinished && resume) return unfinished;
  if (unfinished) {
    throw new CliError(
      `An import of this file stopped after ${unfinished.rowsDone} rows. Go on with it: --resume`,
    );
  }
  if (resume) throw new CliError('No import of this file was stopped. Begin it without --resume.');
  const id = tools.newId();
  const begun = { id, fileHash, fileName: basename(file) };
  if (!(await beginImport(database.sql, tenant.id, begun, database.now()))) {
    throw new CliError('Another import of this file has just begun.');
  }
  return { ...NOTHING, id };
}

/** Rows that can be accounts, and rows that cannot: unreadable, wrong, or the same as an earlier one of this file. */
function sift(
  tools: ImportTools,
  rows: readonly Row[],
  seen: ReturnType<typeof createSeen>,
): { candidates: Candidate[]; refused: RefusedRow[] } {
  const candidates: Candidate[] = [];
  const refused: RefusedRow[] = [];
  for (const { line, fields, problem } of rows) {
    if (fields === undefined) {
      refused.push({ line, issues: problem ? [problem] : [] });
      continue;
    }
    const read = readUser(fields, { tenant: tools.tenant, newId: tools.newId, now: tools.now() });
    const issues = read.ok ? seen.issuesOf(read.user, line) : read.issues;
    if (read.ok && issues.length === 0) candidates.push({ line, user: read.user });
    else refused.push({ line, issues });
  }
  return { candidates, refused };
}
