import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Database } from './database.ts';

export interface Migration {
  number: number;
  name: string;
  sql: string;
  checksum: string;
}

const FOLDER = fileURLToPath(new URL('../../migrations/', import.meta.url));
/** Any constant will do, as long as no other program on the same database takes the same. */
const LOCK = 4_810_070_501;

/** The numbered files of `migrations/`, in order. */
function readMigrations(folder: string = FOLDER): Migration[] {
  return readdirSync(folder)
    .filter((file) => /^\d{4}_[a-z0-9_]+\.sql$/.test(file))
    .sort()
    .map((file) => {
      const sql = readFileSync(`${folder}/${file}`, 'utf8');
      return {
        number: Number(file.slice(0, 4)),
        name: file.slice(5, -4),
        sql,
        checksum: createHash('sha256').update(sql).digest('hex'),
      };
    });
}

/** What a database still lacks, or why it cannot be used. */
export type MigrationState =
  | { state: 'current'; version: number }
  | { state: 'behind'; missing: Migration[] }
  | { state: 'ahead'; version: number }
  | { state: 'changed'; migration: Migration };

/** Compares the database with the files. Reads only. */
export async function migrationState(
  database: Database,
  migrations = readMigrations(),
): Promise<MigrationState> {
  const { sql } = database;
  const [table] = await sql`select to_regclass('schema_migrations') is not null as present`;
  const applied = table?.present
    ? await sql<
        { number: number; checksum: string }[]
      >`select number, checksum from schema_migrations order by number`
    : [];
  const last = applied.at(-1)?.number ?? 0;
  const newest = migrations.at(-1)?.number ?? 0;
  for (const row of applied) {
    const file = migrations.find((migration) => migration.number === row.number);
    if (file && file.checksum !== row.checksum) return { state: 'changed', migration: file };
  }
  if (last > newest) return { state: 'ahead', version: last };
  const done = new Set(applied.map((row) => row.number));
  const missing = migrations.filter((migration) => !done.has(migration.number));
  return missing.length > 0 ? { state: 'behind', missing } : { state: 'current', version: last };
}

/**
 * Brings a database up to date. Each migration is one transaction that first inserts its own row, so that of two
 * servers starting together one runs it and the other finds it done; a kill in the middle leaves nothing.
 * @returns how many were applied
 * @throws when an applied file was changed afterwards
 */
export async function migrate(database: Database, migrations = readMigrations()): Promise<number> {
  const state = await migrationState(database, migrations);
  if (state.state === 'changed') {
    const { number, name } = state.migration;
    throw new Error(
      `Migration ${number} (${name}) of database "${database.name}" was changed after it had been applied. ` +
        'Restore the file; changes go into a new migration.',
    );
  }
  if (state.state !== 'behind') return 0;

  let applied = 0;
  for (const migration of state.missing) {
    await database.transaction(async (sql) => {
      await sql`select pg_advisory_xact_lock(${LOCK}::bigint)`;
      await sql`set local lock_timeout = '2s'`;
      await sql`set local statement_timeout = 0`;
      await sql.unsafe(`create table if not exists schema_migrations (
        number int primary key, name text not null, checksum text not null,
        applied_at timestamptz not null default now())`);
      const inserted = await sql`
        insert into schema_migrations (number, name, checksum)
        values (${migration.number}, ${migration.name}, ${migration.checksum})
        on conflict (number) do nothing returning number`;
      if (inserted.length === 0) return;
      await sql.unsafe(migration.sql);
      applied++;
    });
  }
  return applied;
}
