import postgres from 'postgres';

export const POSTGRES_FOR_TESTS = 'FIRSTPROOF_TEST_POSTGRES';
export const TEMPLATE_DATABASE = 'firstproof_template';

export interface TestAddress {
  host: string;
  port: number;
  username: string;
  password: string;
  database: string;
}

/** The server that test/global-setup.ts started. */
export function testPostgres(): TestAddress & { url: string } {
  const text = process.env[POSTGRES_FOR_TESTS];
  if (!text)
    throw new Error('No PostgreSQL for tests: run them through `npm test -- <part of the file name>`.');
  return JSON.parse(text) as TestAddress & { url: string };
}

let counter = 0;

interface TestDatabase {
  address: TestAddress;
  url: string;
  drop: () => Promise<void>;
}

/** A fresh, migrated database. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createFrom(TEMPLATE_DATABASE);
}

/** Another database with what this one holds, as a backup put back would be. Whoever is connected has to connect again. */
export async function copyTestDatabase(url: string): Promise<TestDatabase> {
  const name = new URL(url).pathname.slice(1);
  await asAdmin(async (sql) => {
    // Nobody may be connected to what is copied.
    await sql.unsafe(`alter database ${name} allow_connections false`);
    await sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = ${name}`;
  });
  const copy = await createFrom(name);
  await asAdmin((sql) => sql.unsafe(`alter database ${name} allow_connections true`));
  return copy;
}

async function createFrom(template: string): Promise<TestDatabase> {
  const server = testPostgres();
  const name = `test_${process.pid}_${++counter}`;
  await asAdmin((sql) => sql.unsafe(`create database ${name} template ${template} strategy wal_log`));
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  const { host, port, username, password } = server;
  return {
    address: { host, port, username, password, database: name },
    url: url.href,
    drop: async () => {
      await asAdmin((sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
    },
  };
}

async function asAdmin(work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres({ ...testPostgres(), database: 'postgres', max: 1, onnotice: () => {} });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}
