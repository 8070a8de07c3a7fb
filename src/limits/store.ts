import type { Fragment, Sql } from '../db/database.ts';
import { type Budgets, SENDS_KEPT_A_DAY } from './policy.ts';

/** Moments kept of an address's sends. Enough for every normal budget; relaxed ones lose exactness beyond it. */
const MOST_MOMENTS = 100;

/** How often this array of moments falls within the last so many seconds. */
function within(sql: Sql, moments: Fragment, seconds: number, now: Fragment): Fragment {
  return sql`(select count(*) from unnest(${moments}) moment
    where moment > ${now} - make_interval(secs => ${seconds}))`;
}

/**
 * What an address keeps for its owner, as SQL over `b`, its row of address_budgets. Asked only where something was
 * guessed wrong, so an address in peace costs nothing.
 */
export interface Kept {
  /** A number: comparisons kept from this caller for those who are more likely the owner. */
  comparisons: Fragment;
  /** A number, 0 or 1: is a send of ten minutes, and are three of a day, kept from this caller? */
  sends: Fragment;
  /** A boolean: has the owner proved the account another way since the address was closed? */
  reopened: Fragment;
}

/** Wrong codes in a row as they count now: none once the owner has opened a closed address again. */
export function failuresInARow(sql: Sql, budgets: Budgets, kept: Kept): Fragment {
  return sql`case when b.failures_in_a_row >= ${budgets.wrongCodesInARow}::int and ${kept.reopened} then 0
    else b.failures_in_a_row end`;
}

/** How many comparisons the hour and the day have left, as SQL over `b`; none at 0 and below. */
export function comparisonsLeft(sql: Sql, budgets: Budgets, now: Fragment): Fragment {
  const { wrongCodesPerHour, wrongCodesPerDay } = budgets;
  return sql`case when b.failed_at = '{}' then ${Math.min(wrongCodesPerHour, wrongCodesPerDay)}::int
    else least(${wrongCodesPerHour}::int - ${within(sql, sql`b.failed_at`, 3600, now)},
      ${wrongCodesPerDay}::int - ${within(sql, sql`b.failed_at`, 86_400, now)}) end`;
}

/**
 * `update …` for a `with` list: opens addresses again that too many wrong codes in a row had closed. Gives kind and
 * value of each that was closed.
 * @param addresses SQL: rows of (kind, value)
 */
export function reopenFragment(sql: Sql, tenantId: string, addresses: Fragment, inARow: number): Fragment {
  return sql`
    update address_budgets b set failures_in_a_row = 0, closed_at = null
    where b.tenant_id = ${tenantId}::uuid and (b.kind, b.value) in (${addresses})
      and b.failures_in_a_row >= ${inARow}
    returning b.kind, b.value`;
}

/** SQL of type boolean over `b`: is the cool-down over? It ends with the use of the code that was sent. */
export function cooledFragment(sql: Sql, budgets: Budgets, now: Fragment): Fragment {
  return sql`(b.sent_at[cardinality(b.sent_at)] is null
      or b.sent_at[cardinality(b.sent_at)] <= ${now} - make_interval(secs => ${budgets.sendCooldownSeconds})
      or exists (select from verifications used
        where used.tenant_id = b.tenant_id and used.kind = b.kind and used.value = b.value
          and used.consumed_at >= b.sent_at[cardinality(b.sent_at)]))`;
}

/** SQL over `b`: its sends that still count, oldest first, with room for one more. */
export function recentSends(sql: Sql, now: Fragment): Fragment {
  return sql`array(select moment from (
      select moment from unnest(b.sent_at) moment where moment > ${now} - interval '1 day'
      order by moment desc limit ${MOST_MOMENTS - 1}) newest order by moment)`;
}

export interface TakeSend {
  tenantId: string;
  kind: string;
  value: string;
  /** The verification or resend that asks; how the statement knows afterwards whether the place is its own. */
  takenBy: string;
  /** Inside the cool-down, take the moment it ends instead of none: the message is then due later. */
  patient?: boolean;
  /** Somebody typed another password than the one that waits for this address: remembered for a day. */
  contested?: boolean;
  /** SQL of type boolean over `b`: may a code go out also where strangers have guessed too often? Left out: yes. */
  passesGate?: Fragment | undefined;
  budgets: Budgets;
  kept: Kept;
  now: Fragment;
}

/**
 * Takes one send from an address's budget, or leaves it as it is. An upsert sees the newest row whatever the
 * statement's snapshot, so that of many at once exactly as many are taken as are left (S30).
 * Gives one row: taken, due (when what was taken may go out), sent_at, failed_at, failures_in_a_row, strangers_in_a_row.
 */
export function takeSendFragment(sql: Sql, take: TakeSend): Fragment {
  const { budgets, kept, now } = take;
  const cooled = cooledFragment(sql, budgets, now);
  const moment = take.patient
    ? sql`case when ${cooled} then excluded.sent_at[1]
        else b.sent_at[cardinality(b.sent_at)] + make_interval(secs => ${budgets.sendCooldownSeconds}) end`
    : sql`excluded.sent_at[1]`;
  const keptSends = kept.sends;
  const gate = take.passesGate
    ? sql` and (b.strangers_in_a_row < ${budgets.freeWrongCodesInARow}::int or ${take.passesGate})`
    : sql``;
  const allowed = sql`(
    ${take.patient ? sql`true` : cooled}
    and (cardinality(b.sent_at) < ${Math.min(budgets.sendsPerTenMinutes, budgets.sendsPerDay) - SENDS_KEPT_A_DAY}
      or ${within(sql, sql`b.sent_at`, 600, now)} < ${budgets.sendsPerTenMinutes} - ${keptSends}
      and ${within(sql, sql`b.sent_at`, 86_400, now)} < ${budgets.sendsPerDay} - ${SENDS_KEPT_A_DAY}::int * ${keptSends})
    and ${failuresInARow(sql, budgets, kept)} < ${budgets.wrongCodesInARow}
    and ${comparisonsLeft(sql, budgets, now)}
      - case when b.failed_at = '{}' then 0 else ${kept.comparisons} end > 0${gate})`;
  return sql`
    insert into address_budgets as b (tenant_id, kind, value, sent_at, taken_by, contested_at)
    values (${take.tenantId}::uuid, ${take.kind}, ${take.value}, array[${now}], ${take.takenBy}::uuid,
      case when ${take.contested ?? false}::boolean then ${now} end)
    on conflict (tenant_id, kind, value) do update set
      (sent_at, taken_by) = (
        select case when allowed then recent || ${moment} else b.sent_at end,
          case when allowed then excluded.taken_by else b.taken_by end
        from (select ${allowed} as allowed,
          array(select moment from unnest(b.sent_at) moment where moment > ${now} - interval '1 day'
            order by moment desc limit ${MOST_MOMENTS - 1}) as newest_first offset 0) decided,
          lateral (select array(select moment from unnest(newest_first) moment order by moment) as recent) kept
      ),
      contested_at = coalesce(excluded.contested_at, b.contested_at)
    returning taken_by = ${take.takenBy}::uuid as taken, sent_at[cardinality(sent_at)] as due, sent_at, failed_at,
      ${failuresInARow(sql, budgets, kept)} as failures_in_a_row, b.strangers_in_a_row,
      case when b.failed_at = '{}' then 0 else ${kept.comparisons} end as kept,
      case when cardinality(b.sent_at) < 2 then 0 else ${keptSends} end as kept_sends`;
}

/** Remembers for a day that somebody typed another password than the one that waits for this address. */
export async function contestAddress(
  sql: Sql,
  place: { tenantId: string; kind: string; value: string; takenBy: string },
  now: Fragment,
): Promise<void> {
  await sql`
    insert into address_budgets (tenant_id, kind, value, taken_by, contested_at)
    values (${place.tenantId}, ${place.kind}, ${place.value}, ${place.takenBy}, ${now})
    on conflict (tenant_id, kind, value) do update set contested_at = excluded.contested_at`;
}

export interface BucketTake {
  key: string;
  count: number;
  windowSeconds: number;
}

/**
 * Adds to several counters at once; each begins a new window when its last has ended. Keys must come sorted, so that
 * two servers never wait for each other.
 */
export function addToBuckets(
  sql: Sql,
  takes: readonly BucketTake[],
  now: Fragment,
): Promise<{ key: string; count: number; ends_in: number }[]> {
  return sql<{ key: string; count: number; ends_in: number }[]>`
    insert into buckets as b (key, window_ends_at, count)
    select key, ${now} + make_interval(secs => seconds), added
    from unnest(${takes.map((take) => take.key)}::text[], ${takes.map((take) => take.windowSeconds)}::int[],
      ${takes.map((take) => take.count)}::int[]) as take (key, seconds, added)
    on conflict (key) do update set
      count = case when b.window_ends_at <= ${now} then excluded.count
        else least(b.count, 1000000000) + excluded.count end,
      window_ends_at = case when b.window_ends_at <= ${now} then excluded.window_ends_at
        else b.window_ends_at end
    returning key, count, ceil(extract(epoch from window_ends_at - ${now}))::int as ends_in`;
}

/** Gives one back to a counter whose window still runs: what was counted turned out not to be a failure. */
export async function takeBack(sql: Sql, key: string, now: Fragment): Promise<void> {
  await sql`update buckets set count = greatest(count - 1, 0) where key = ${key} and window_ends_at > ${now}`;
}

/** How much a counter holds at this moment. */
export async function readBucket(sql: Sql, key: string, now: Fragment): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count from buckets where key = ${key} and window_ends_at > ${now}`;
  return row?.count ?? 0;
}

/** Removes counters whose window ended an hour ago, and addresses of which nothing is remembered any more. */
export async function sweepLimits(sql: Sql, now: Fragment, batch: number): Promise<number> {
  const buckets = await sql`
    delete from buckets where key in (
      select key from buckets where window_ends_at < ${now} - interval '1 hour' limit ${batch}
      for update skip locked)`;
  const addresses = await sql`
    delete from address_budgets b using (
      select tenant_id, kind, value from address_budgets
      where failures_in_a_row = 0 and strangers_in_a_row = 0 and (contested_at is null or contested_at < ${now} - interval '1 day')
        and (cardinality(sent_at) = 0 or sent_at[cardinality(sent_at)] < ${now} - interval '1 day')
        and (cardinality(failed_at) = 0 or failed_at[cardinality(failed_at)] < ${now} - interval '1 day')
      limit ${batch} for update skip locked) forgotten
    where (b.tenant_id, b.kind, b.value) = (forgotten.tenant_id, forgotten.kind, forgotten.value)`;
  return buckets.count + addresses.count;
}
