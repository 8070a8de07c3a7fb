import type { Database, Fragment, Sql } from '../db/database.ts';

/** What bounds a fixed code. */
export interface TestEntry {
  id: string;
  uses: number;
  /** YYYY-MM-DD (UTC), the day itself included. */
  lastDay: string;
}

const today = (sql: Sql, now: Fragment): Fragment => sql`(${now} at time zone 'UTC')::date`;

/** How a fixed code stands; its count begins here, so that a proof finds a row to lock. */
export async function readTestUse(
  database: Database,
  tenantId: string,
  entry: TestEntry,
): Promise<{ used: number; isOver: boolean }> {
  const { sql } = database;
  const [row] = await sql<{ used: number; over: boolean }[]>`
    with begun as (
      insert into test_address_uses (tenant_id, entry_id) values (${tenantId}::uuid, ${entry.id}::uuid)
      on conflict do nothing
    )
    select coalesce((select used from test_address_uses
        where tenant_id = ${tenantId}::uuid and entry_id = ${entry.id}::uuid), 0) as used,
      ${today(sql, database.now())} > ${entry.lastDay}::date as over`;
  const used = row?.used ?? 0;
  return { used, isOver: row?.over !== false || used >= entry.uses };
}

/** What the statement of a proof needs for fixed codes: nothing is read where the tenant has none. */
export interface TestCodeParts {
  /** An entry of the `with` list after `target` and `budget`, its comma included. */
  lock: Fragment;
  /** SQL of type boolean over `l`, a verification that has a fixed code: may it still be used? */
  mayBeUsed: Fragment;
  /** An entry after `proof`, led by its comma. */
  count: Fragment;
}

/**
 * A fixed code is counted by the statement that proves it: its count is locked, compared with the limit and raised. Of
 * two proofs at once the second one waits, and sees what the first has left.
 */
export function testCodeParts(
  sql: Sql,
  query: { tenantId: string; entries: readonly TestEntry[]; now: Fragment },
): TestCodeParts {
  const { tenantId, entries, now } = query;
  if (entries.length === 0) return { lock: sql``, mayBeUsed: sql`false`, count: sql`` };
  return {
    lock: sql`
    test_use as materialized (
      select u.entry_id, u.used from test_address_uses u
      where u.tenant_id = ${tenantId}::uuid and exists (select from budget) and u.entry_id = any(array(
        select v.test_entry from verifications v
        where v.tenant_id = ${tenantId}::uuid and v.id = any(array(select id from target))
          and v.test_entry is not null))
      order by u.entry_id for update of u
    ),`,
    mayBeUsed: sql`exists (
      select from test_use, unnest(${entries.map(({ id }) => id)}::uuid[], ${entries.map(({ uses }) => uses)}::int[],
        ${entries.map(({ lastDay }) => lastDay)}::text[]) as e (id, uses, last_day)
      where e.id = l.test_entry and test_use.entry_id = e.id and test_use.used < e.uses
        and ${today(sql, now)} <= e.last_day::date)`,
    count: sql`,
    test_counted as (
      update test_address_uses u set used = u.used + 1, last_used_at = ${now}
      where u.tenant_id = ${tenantId}::uuid
        and u.entry_id = (select test_entry from proof where state = 'proved')
    )`,
  };
}

/** How often fixed codes were used, by entry. */
export async function readTestUses(
  database: Database,
  tenantId: string,
): Promise<ReadonlyMap<string, { used: number; lastUsedAt: Date | null }>> {
  const rows = await database.sql<{ entry_id: string; used: number; last_used_at: Date | null }[]>`
    select entry_id, used, last_used_at from test_address_uses where tenant_id = ${tenantId}`;
  return new Map(rows.map((row) => [row.entry_id, { used: row.used, lastUsedAt: row.last_used_at }]));
}
