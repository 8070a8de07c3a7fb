import type { Database, Fragment, Sql } from '../db/database.ts';

/** What an address has used of its budgets. */
export interface AddressUse {
  kind: string;
  value: string;
  sent_ten_minutes: number;
  sent_day: number;
  wrong_hour: number;
  wrong_day: number;
  wrong_in_a_row: number;
  /** Of codes that anybody may have asked for; they count toward nothing but the next challenge. */
  strangers_in_a_row: number;
  closed_at: Date | null;
}

/** What these addresses have used of their budgets; nothing of those in peace. */
export function readAddressUse(
  database: Database,
  tenantId: string,
  addresses: readonly { kind: string; value: string }[],
): Promise<AddressUse[]> {
  const { sql } = database;
  const now = database.now();
  const within = (moments: Fragment, seconds: number): Fragment =>
    sql`(select count(*)::int from unnest(${moments}) moment where moment > ${now} - make_interval(secs => ${seconds}))`;
  return sql<AddressUse[]>`
    select b.kind, b.value, ${within(sql`b.sent_at`, 600)} as sent_ten_minutes,
      ${within(sql`b.sent_at`, 86_400)} as sent_day, ${within(sql`b.failed_at`, 3600)} as wrong_hour,
      ${within(sql`b.failed_at`, 86_400)} as wrong_day, b.failures_in_a_row as wrong_in_a_row,
      b.strangers_in_a_row, b.closed_at
    from address_budgets b
    where b.tenant_id = ${tenantId}::uuid and (b.kind, b.value) in (
      select * from unnest(${addresses.map((one) => one.kind)}::text[], ${addresses.map((one) => one.value)}::text[]))`;
}

/**
 * Lets go of these addresses within a day: the sweep then forgets them. What was sent stays counted until then, or
 * signing up and asking for removal again and again would buy as many codes as one likes.
 */
export async function forgetAddresses(
  sql: Sql,
  tenantId: string,
  addresses: readonly { kind: string; value: string }[],
): Promise<void> {
  await sql`
    update address_budgets b set failures_in_a_row = 0, strangers_in_a_row = 0, closed_at = null, contested_at = null
    where b.tenant_id = ${tenantId}::uuid and (b.kind, b.value) in (
      select * from unnest(${addresses.map((one) => one.kind)}::text[], ${addresses.map((one) => one.value)}::text[]))`;
}
