import type { Database, Fragment, Sql } from '../db/database.ts';
import { FEED_CHANNEL } from '../db/feed.ts';

/** Told when the list has grown. */
export const SUPPRESSIONS_TOPIC = 'suppressions';

/** More than these are not held in memory; beyond it a provider refuses once more. */
const MOST_SUPPRESSIONS = 100_000;

export interface Suppression {
  tenantId: string;
  channel: string;
  recipient: string;
}

export interface NewSuppression {
  tenantId: string;
  channel: string;
  /** The recipient, or the verification whose address it is. */
  recipient: string | null;
  verificationId: string | null;
  provider: string;
  error: string | null;
  seconds: number;
}

/** Remembers a recipient as out of reach by a channel, and tells every server. */
export async function insertSuppression(database: Database, suppression: NewSuppression): Promise<void> {
  const { tenantId, channel, recipient, verificationId, provider, error, seconds } = suppression;
  const now = database.now();
  await database.sql`
    with added as (
      insert into suppressions (tenant_id, channel, recipient, provider, error, created_at, expires_at)
      select ${tenantId}::uuid, ${channel}, r.recipient, ${provider}, ${error}, ${now},
        ${now} + make_interval(secs => ${seconds})
      from (
        select coalesce(${recipient}::text, (
          select case when v.kind = 'email' then v.as_entered else v.value end from verifications v
          where v.tenant_id = ${tenantId}::uuid and v.id = ${verificationId}::uuid)) as recipient
      ) r where r.recipient is not null
      on conflict (tenant_id, channel, recipient) do update
        set expires_at = excluded.expires_at, provider = excluded.provider, error = excluded.error
      returning channel
    )
    select pg_notify(${FEED_CHANNEL}, ${`${SUPPRESSIONS_TOPIC}:`} || channel) from added`;
}

/** Says something to every server of a database. */
export async function tellServers(database: Database, topic: string, text: string): Promise<void> {
  await database.sql`select pg_notify(${FEED_CHANNEL}, ${`${topic}:${text}`})`;
}

/** All that still hold, the newest first. */
export async function readSuppressions(database: Database): Promise<Suppression[]> {
  return database.sql<Suppression[]>`
    select tenant_id as "tenantId", channel, recipient from suppressions
    where expires_at > ${database.now()} order by created_at desc limit ${MOST_SUPPRESSIONS}`;
}

/** Who is not tried by a channel, and why. */
export interface UnreachableRow {
  tenant_id: string;
  channel: string;
  recipient: string;
  provider: string;
  error: string | null;
  created_at: Date;
  expires_at: Date;
}

const MOST_LISTED = 200;

/** Those that still hold, the newest first. */
export async function readUnreachable(
  database: Database,
  { tenantId, recipient = null }: { tenantId: string | null; recipient?: string | null },
): Promise<UnreachableRow[]> {
  return database.sql<UnreachableRow[]>`
    select tenant_id, channel, recipient, provider, error, created_at, expires_at from suppressions
    where expires_at > ${database.now()} and (${tenantId}::uuid is null or tenant_id = ${tenantId}::uuid)
      and (${recipient}::text is null or lower(recipient) = lower(${recipient}::text))
    order by created_at desc, channel limit ${MOST_LISTED}`;
}

/** Two entries for a `with` list: `forgotten`, the one that is removed, and `told`, by which every server hears of it. */
export function forgetFragment(
  sql: Sql,
  { tenant_id: tenantId, channel, recipient }: UnreachableRow,
): Fragment {
  return sql`
    forgotten as (
      delete from suppressions
      where tenant_id = ${tenantId}::uuid and channel = ${channel} and recipient = ${recipient}
      returning channel, recipient, provider
    ),
    told as (select pg_notify(${FEED_CHANNEL}, ${`${SUPPRESSIONS_TOPIC}:`} || channel) from forgotten)`;
}

/** Removes those that hold no longer. */
export async function sweepSuppressions(database: Database): Promise<number> {
  const result = await database.sql`delete from suppressions where expires_at <= ${database.now()}`;
  return result.count;
}

/**
 * Takes turns at a provider for one server: the row says when the next one may begin, so that all servers together keep
 * the rate. The machine's time is meant here, whatever the clock of a test.
 * @returns milliseconds until the first of the turns
 */
export async function reserveTurns(
  database: Database,
  provider: string,
  count: number,
  perSecond: number,
): Promise<number> {
  const span = count / perSecond;
  const [row] = await database.sql<{ wait: number }[]>`
    insert into provider_paces as p (provider, next_at)
    values (${provider}, clock_timestamp() + make_interval(secs => ${span}))
    on conflict (provider) do update
      set next_at = greatest(p.next_at, clock_timestamp()) + make_interval(secs => ${span})
    returning greatest(0, extract(epoch from p.next_at - make_interval(secs => ${span}) - clock_timestamp()))::float8
      * 1000 as wait`;
  return row?.wait ?? 0;
}

/** The provider asked for quiet: no server takes a turn before. */
export async function postponeTurns(database: Database, provider: string, seconds: number): Promise<void> {
  await database.sql`
    insert into provider_paces as p (provider, next_at)
    values (${provider}, clock_timestamp() + make_interval(secs => ${seconds}))
    on conflict (provider) do update set next_at = greatest(p.next_at, excluded.next_at)`;
}
