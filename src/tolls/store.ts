import type { Fragment, Sql } from '../db/database.ts';
import type { Counter } from './policy.ts';

export interface Asked extends Counter {
  tenantId: string;
}

/** The name of a counter among those of a batch. */
export const nameOf = (one: { tenantId: string; key: string }): string => `${one.tenantId} ${one.key}`;

/**
 * Takes from several counters at once, of each as much as it still has: an upsert reads the newest row whatever the
 * snapshot, so that of many servers at once never more is given than there is. Must come sorted by tenant and key, so
 * that two servers never wait for each other.
 */
export function takeFromCounters(
  sql: Sql,
  asked: readonly Asked[],
  now: Fragment,
): Promise<{ tenant_id: string; key: string; granted: number; ends_in: number }[]> {
  const isOver = sql`b.window_ends_at <= ${now}`;
  const given = sql`case when ${isOver} then least(excluded.asked, excluded.most)
    else least(excluded.asked, greatest(excluded.most - b.used, 0)) end`;
  return sql<{ tenant_id: string; key: string; granted: number; ends_in: number }[]>`
    insert into toll_counters as b (tenant_id, key, window_ends_at, used, granted, asked, most)
    select tenant_id, key, case "window" when 'hour' then ${now} + interval '1 hour'
        when 'day' then date_trunc('day', ${now}, 'UTC') + interval '1 day' else ${now} + interval '400 days' end,
      least(asked, most), least(asked, most), asked, most
    from unnest(${asked.map((one) => one.tenantId)}::uuid[], ${asked.map((one) => one.key)}::text[],
      ${asked.map((one) => one.window)}::text[], ${asked.map((one) => one.amount)}::bigint[],
      ${asked.map((one) => one.most)}::bigint[]) as take (tenant_id, key, "window", asked, most)
    on conflict (tenant_id, key) do update set
      used = case when ${isOver} then 0 else b.used end + ${given}, granted = ${given},
      asked = excluded.asked, most = excluded.most,
      window_ends_at = case when ${isOver} then excluded.window_ends_at else b.window_ends_at end
    returning tenant_id, key, granted::float8 as granted,
      ceil(extract(epoch from window_ends_at - ${now}))::int as ends_in`;
}

/**
 * Gives back what was taken at most so many seconds ago and not used. Sorted like the takes. A window that began since
 * then may hold nothing of it: lowered all the same, it would let more out than it may.
 */
export async function giveToCounters(
  sql: Sql,
  given: readonly Asked[],
  now: Fragment,
  secondsAgo: number,
): Promise<void> {
  const takenAt = sql`${now} - make_interval(secs => ${secondsAgo})`;
  await sql`
    with given as materialized (
      select b.tenant_id, b.key, give.amount from toll_counters b
        join unnest(${given.map((one) => one.tenantId)}::uuid[], ${given.map((one) => one.key)}::text[],
          ${given.map((one) => one.amount)}::bigint[], ${given.map((one) => one.window)}::text[])
          as give (tenant_id, key, amount, "window") on give.tenant_id = b.tenant_id and give.key = b.key
      where b.window_ends_at > ${now} and (give."window" = 'kept'
        or b.window_ends_at - case give."window" when 'hour' then interval '1 hour' else interval '1 day' end <= ${takenAt})
      order by b.tenant_id, b.key for update of b
    )
    update toll_counters b set used = greatest(b.used - given.amount, 0)
    from given where b.tenant_id = given.tenant_id and b.key = given.key`;
}

/** Those of these ranges that are blocked, and for how many seconds. */
export function readBlocks(
  sql: Sql,
  ranges: readonly { tenantId: string; prefix: string }[],
  now: Fragment,
): Promise<{ tenant_id: string; prefix: string; ends_in: number }[]> {
  return sql<{ tenant_id: string; prefix: string; ends_in: number }[]>`
    select tenant_id, prefix, ceil(extract(epoch from blocked_until - ${now}))::int as ends_in from toll_blocks
    where blocked_until > ${now} and (tenant_id, prefix) in (select * from unnest(
      ${ranges.map((range) => range.tenantId)}::uuid[], ${ranges.map((range) => range.prefix)}::text[]))`;
}

/** Blocks ranges that are not blocked; gives those it blocked, so that exactly one server announces each. */
export async function blockRanges(
  sql: Sql,
  tenantId: string,
  ranges: readonly { prefix: string; sent: number; verified: number }[],
  seconds: number,
  now: Fragment,
): Promise<string[]> {
  const rows = await sql<{ prefix: string }[]>`
    insert into toll_blocks as b (tenant_id, prefix, blocked_until, sent, verified)
    select ${tenantId}::uuid, prefix, ${now} + make_interval(secs => ${seconds}), sent, verified
    from unnest(${ranges.map((range) => range.prefix)}::text[], ${ranges.map((range) => range.sent)}::int[],
      ${ranges.map((range) => range.verified)}::int[]) as range (prefix, sent, verified)
    order by prefix
    on conflict (tenant_id, prefix) do update set blocked_until = excluded.blocked_until, sent = excluded.sent,
      verified = excluded.verified
    where b.blocked_until <= ${now}
    returning prefix`;
  return rows.map((row) => row.prefix);
}

export interface LedgerRow {
  tenant_id: string;
  /** Day, channel and country as the key tells them, and what is counted: messages or micros. */
  key: string;
  used: number;
}

/** What the ledger holds of one tenant or of all, oldest day first. */
export function readLedger(sql: Sql, tenantId: string | null): Promise<LedgerRow[]> {
  return sql<LedgerRow[]>`
    select tenant_id, key, used::float8 as used from toll_counters
    where key like 'ledger:%' and (${tenantId}::uuid is null or tenant_id = ${tenantId}::uuid)
    order by key, tenant_id`;
}

/** Removes counters and blocks that ended a day ago. */
export async function sweepTolls(sql: Sql, now: Fragment, batch: number): Promise<number> {
  const counters = await sql`
    delete from toll_counters where (tenant_id, key) in (select tenant_id, key from toll_counters
      where window_ends_at < ${now} - interval '1 day' limit ${batch} for update skip locked)`;
  const blocks = await sql`delete from toll_blocks where blocked_until < ${now} - interval '1 day'`;
  return counters.count + blocks.count;
}
