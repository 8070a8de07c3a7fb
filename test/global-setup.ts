import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from '../src/db/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { migrate } from '../src/db/migrate.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { POSTGRES_FOR_TESTS, TEMPLATE_DATABASE } from './postgres-for-tests.ts';

let postgres: EmbeddedPostgres | undefined;
let folder: string | undefined;

/** One real PostgreSQL for the whole run, with a migrated database that each test copies. */
export async function globalSetup(): Promise<void> {
  // Whoever runs the tests many times has started one for all of them.
  if (process.env[POSTGRES_FOR_TESTS] !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'firstproof-test-'));
  chmodSync(folder, 0o755);
  postgres = await startEmbeddedPostgres({ dataDirectory: join(folder, 'data'), log: () => {} });
  await postgres.ensureDatabase(TEMPLATE_DATABASE);
  const address = postgres.connection(TEMPLATE_DATABASE);
  const template = createDatabase({
    name: 'template',
    address,
    clock: systemClock,
    maxConnections: 1,
    prepare: true,
  });
  await migrate(template);
  await template.close();
  process.env[POSTGRES_FOR_TESTS] = JSON.stringify({ ...address, url: postgres.url(TEMPLATE_DATABASE) });
}

export async function globalTeardown(): Promise<void> {
  await postgres?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
}
