import type { Config } from '../config/config.ts';
import type { Database } from '../db/database.ts';
import { migrate, migrationState, type MigrationState } from '../db/migrate.ts';
import { CliError } from './errors.ts';
import { json, table } from './table.ts';
import { withDatabases } from './workbench.ts';

/** `firstproof migrate`: brings every database up to date, or refuses before it has touched any. */
export async function runMigrate(
  config: Config,
  options: { status?: boolean; json?: boolean },
): Promise<void> {
  await withDatabases(config, !options.status, async (databases) => {
    const all = databases.all();
    const states = await Promise.all(all.map((database) => migrationState(database)));
    if (options.status) return showStatus(all, states, options.json ?? false);
    const problems = all.flatMap(
      (database, at) => problemOf(database.name, states[at] as MigrationState) ?? [],
    );
    if (problems.length > 0) throw new CliError(problems.join('\n'));
    const done = await Promise.all(all.map(apply));
    process.stdout.write(
      options.json
        ? json(done)
        : table(
            ['database', 'applied'],
            done.map((one) => [one.database, one.applied.join(', ')]),
          ),
    );
  });
}

async function apply(database: Database): Promise<{ database: string; applied: string[] }> {
  const before = await migrationState(database);
  const missing = before.state === 'behind' ? before.missing : [];
  try {
    // Fewer than were missing: another process was applying them at the same time.
    await migrate(database);
  } catch (fault) {
    if ((fault as { code?: unknown }).code !== '55P03') throw fault;
    throw new CliError(
      `Database "${database.name}": a table that is to change is in use. ` +
        'What was applied before it stays; run this again in a quiet moment.',
    );
  }
  return { database: database.name, applied: missing.map(nameOf) };
}

function showStatus(all: readonly Database[], states: readonly MigrationState[], asJson: boolean): void {
  const rows = all.map((database, at) => {
    const state = states[at] as MigrationState;
    return {
      database: database.name,
      state: state.state,
      version: 'version' in state ? state.version : null,
      missing: state.state === 'behind' ? state.missing.map(nameOf) : [],
      problem: problemOf(database.name, state) ?? null,
    };
  });
  process.stdout.write(
    asJson
      ? json(rows)
      : table(
          ['database', 'state', 'missing'],
          rows.map((row) => [row.database, row.state, row.missing.join(', ')]),
        ),
  );
  for (const { problem } of rows) if (problem !== null && !asJson) process.stderr.write(`${problem}\n`);
  if (states.some((state) => state.state !== 'current')) process.exitCode = 1;
}

function problemOf(name: string, state: MigrationState): string | undefined {
  switch (state.state) {
    case 'ahead':
      return (
        `Database "${name}" is at migration ${state.version}, which this version of Firstproof does not know. ` +
        'Run the newer version; migrations only go forward.'
      );
    case 'changed':
      return (
        `Database "${name}" has applied another text of migration ${nameOf(state.migration)}. ` +
        'Restore the file of that release; changes go into a new migration.'
      );
    case 'behind':
    case 'current':
      return undefined;
  }
}

function nameOf(migration: { number: number; name: string }): string {
  return `${String(migration.number).padStart(4, '0')}_${migration.name}`;
}
