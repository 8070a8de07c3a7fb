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

/** A fresh, migrated database. */
export async function createTestDatabase(): Promise<{
  address: TestAddress;
  url: string;
  drop: () => Promise<void>;
}> {
  const server = testPostgres();
  const name = `test_${process.pid}_${++counter}`;
  const admin = (): postgres.Sql => postgres({ ...server, database: 'postgres', max: 1, onnotice: () => {} });
  const sql = admin();
  await sql.unsafe(`create database ${name} template ${TEMPLATE_DATABASE} strategy wal_log`);
  await sql.end();
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  const { host, port, username, password } = server;
  return {
    address: { host, port, username, password, database: name },
    url: url.href,
    drop: async () => {
      const again = admin();
      await again.unsafe(`drop database if exists ${name} with (force)`);
      await again.end();
    },
  };
}
