import type { TestApp } from './create-test-app.ts';

const TABLES = ['users', 'identities', 'verifications', 'sessions', 'devices', 'messages', 'audit_events'];

/** How many rows the tables of people hold, as `database.table`; empty ones are left out. */
export async function census(app: TestApp): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const database of app.databases.all()) {
    for (const table of TABLES) {
      const [row] = await database.sql`select count(*)::int as count from ${database.sql(table)}`;
      if (row?.['count'] > 0) counts[`${database.name}.${table}`] = row?.['count'] as number;
    }
  }
  return counts;
}
