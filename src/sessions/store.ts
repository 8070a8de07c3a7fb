import { type Database, type Fragment, type Sql, withConflictRetry } from '../db/database.ts';
import { FEED_CHANNEL } from '../db/feed.ts';
import { ADMINISTRATOR_LIFE_SECONDS } from './policy.ts';

/** The topic by which servers learn that sessions ended: session ids, comma-separated. */
export const SESSIONS_TOPIC = 'sessions';
/** Ids of 36 characters that fit into one NOTIFY payload (8,000 bytes). */
const IDS_A_NOTICE = 150;

export interface OpenSession {
  tenantId: string;
  sessionId: string;
  deviceId: string;
  style: 'jwt' | 'opaque';
  amr: readonly string[];
  lifetimeSeconds: number;
  deviceKind: string;
  deviceName: string;
  userAgent: string | null;
  ip: string | null;
  /** SQL of type jsonb: the proofs it begins with, each with its time. */
  proofs: Fragment;
  now: Fragment;
}

/** SQL over `account`: seconds the session may live; an administrator's is shorter. */
export function lifeOf(sql: Sql, session: OpenSession): Fragment {
  return sql`least(${session.lifetimeSeconds}::float8,
    case when (select role from account) = 'admin' then ${ADMINISTRATOR_LIFE_SECONDS}::float8 end)`;
}

/** Two entries for a `with` list after `account`: a device and a session on it, unless the account is disabled. */
export function openFragment(sql: Sql, session: OpenSession): Fragment {
  const { tenantId, now } = session;
  return sql`
    device as (
      insert into devices (tenant_id, id, user_id, kind, name, user_agent, last_ip, first_seen, last_seen)
      select ${tenantId}::uuid, ${session.deviceId}::uuid, account.id, ${session.deviceKind}, ${session.deviceName},
        ${session.userAgent}, ${session.ip}, ${now}, ${now}
      from account where not account.is_disabled
      returning id, user_id
    ),
    opened as (
      insert into sessions (tenant_id, id, user_id, device_id, style, amr, proofs, created_at, last_used_at, expires_at)
      select ${tenantId}::uuid, ${session.sessionId}::uuid, device.user_id, device.id, ${session.style},
        ${session.amr as string[]}::text[], ${session.proofs}, ${now}, ${now}, ${now} + make_interval(secs => ${lifeOf(sql, session)})
      from device
      returning id, device_id, created_at, expires_at
    )`;
}

/**
 * The entries of a `with` list after `ended` (id, user_id: sessions whose revoked_at was just set) that make an end
 * real: the account counts its live sessions down, and every server is told when the transaction commits.
 */
export function consequencesFragment(sql: Sql, tenantId: string, now: Fragment): Fragment {
  return sql`
    counted_down as (
      update users u set live_sessions = greatest(u.live_sessions - gone.count, 0),
        is_active = u.live_sessions - gone.count > 0, updated_at = ${now}
      from (select user_id, count(*)::int as count from ended group by user_id) gone
      where u.tenant_id = ${tenantId}::uuid and u.id = gone.user_id
      returning u.id, u.is_active
    ),
    told as materialized (
      select pg_notify(${FEED_CHANNEL}, ${`${SESSIONS_TOPIC}:`} || string_agg(id::text, ','))
      from (select id, (row_number() over () - 1) / ${IDS_A_NOTICE} as notice from ended) numbered
      group by notice
    )`;
}

export interface RefreshQuery {
  tenantId: string;
  sessionId: string;
  /** The counter of the token presented. */
  presented: number;
  graceSeconds: number;
  idleSeconds: number | null;
  administratorIdleSeconds: number;
  auditId: string;
  ip: string | null;
  userAgent: string | null;
  now: Fragment;
}

export interface RefreshedRow {
  outcome: 'refreshed' | 'reused' | 'ended' | 'disabled';
  counter: number;
  user_id: string;
  device_id: string;
  amr: string[];
  role: string;
  epoch: number;
  expires_at: Date;
  now: Date;
}

/**
 * Moves a session's counter on, or finds that a spent token came back and ends the session: one guarded UPDATE, so
 * that of many at once none can fork the family (RFC 9700 4.14.2). A token one step behind is answered with the same
 * successor for `graceSeconds`, because an answer may have been lost on its way.
 */
export async function refreshSession(
  database: Database,
  query: RefreshQuery,
): Promise<RefreshedRow | undefined> {
  const { sql } = database;
  const { tenantId, presented, now } = query;
  const fresh = sql`(s.counter = ${presented} or s.counter = ${presented + 1}
    and s.rotated_at > ${now} - make_interval(secs => ${query.graceSeconds}))`;
  const [row] = await sql<RefreshedRow[]>`
    with refreshed as (
      update sessions s set
        counter = case when s.counter = ${presented} then s.counter + 1 else s.counter end,
        rotated_at = case when s.counter = ${presented} then ${now} else s.rotated_at end,
        last_used_at = ${now},
        revoked_at = case when ${fresh} then null else ${now} end,
        revoke_reason = case when ${fresh} then null else 'refresh_reused' end
      where s.tenant_id = ${tenantId}::uuid and s.id = ${query.sessionId}::uuid and s.style = 'jwt'
        and s.revoked_at is null and s.expires_at > ${now} and s.counter >= ${presented}
        and s.last_used_at >= ${now} - make_interval(secs => coalesce(
          (select ${query.administratorIdleSeconds}::float8 from users u
            where u.tenant_id = ${tenantId}::uuid and u.id = s.user_id and u.role = 'admin'),
          ${query.idleSeconds}::float8, 1e9))
      returning s.id, s.user_id, s.device_id, s.counter, s.amr, s.expires_at, s.revoked_at
    ),
    ended as (select id, user_id from refreshed where revoked_at is not null),
    ${consequencesFragment(sql, tenantId, now)},
    audited as (
      insert into audit_events (tenant_id, id, action, actor, subject, ip, user_agent, at)
      select ${tenantId}::uuid, ${query.auditId}::uuid, 'session.refresh_reused', 'user:' || user_id,
        'session:' || id, ${query.ip}, ${query.userAgent}, ${now} from ended
    )
    select case when r.revoked_at is not null then 'reused' when u.is_disabled then 'disabled'
        else 'refreshed' end as outcome,
      r.counter, r.user_id, r.device_id, r.amr, u.role, u.epoch, r.expires_at, ${now} as now,
      (select count(*) from told) as told
    from refreshed r join users u on u.tenant_id = ${tenantId}::uuid and u.id = r.user_id`;
  return row;
}

export interface EndQuery {
  tenantId: string;
  /** SQL condition over `s`, the sessions to end. */
  which: Fragment;
  /** At most so many, where all would be too many for one statement. */
  limit?: number;
  reason: string;
  actor: string;
  ip: string | null;
  userAgent: string | null;
  now: Fragment;
}

export interface EndedRow {
  id: string;
  user_id: string;
  user_is_active: boolean;
}

/** Ends sessions, each once: of two at the same moment, one ends it and the other finds nothing left to end. */
export function endSessions(database: Database, query: EndQuery): Promise<EndedRow[]> {
  return withConflictRetry(() => endSessionsIn(database.sql, query));
}

/** The same within a transaction that holds the account's row. */
export async function endSessionsIn(sql: Sql, query: EndQuery): Promise<EndedRow[]> {
  const { tenantId, now } = query;
  return sql<EndedRow[]>`
    with chosen as materialized (
      select s.id from sessions s where s.tenant_id = ${tenantId}::uuid and s.revoked_at is null and ${query.which}
      order by s.id limit ${query.limit ?? null} for update
    ),
    ended as (
      update sessions s set revoked_at = ${now}, revoke_reason = ${query.reason}
      from chosen where s.tenant_id = ${tenantId}::uuid and s.id = chosen.id and s.revoked_at is null
      returning s.id, s.user_id, s.device_id
    ),
    ${consequencesFragment(sql, tenantId, now)},
    audited as (
      insert into audit_events (tenant_id, id, action, actor, subject, ip, user_agent, at, data)
      select ${tenantId}::uuid, gen_random_uuid(), 'session.ended', ${query.actor}, 'session:' || id, ${query.ip},
        ${query.userAgent}, ${now}, jsonb_build_object('reason', ${query.reason}::text, 'user_id', user_id) from ended
    )
    select ended.id, ended.user_id, coalesce(counted_down.is_active, false) as user_is_active,
      (select count(*) from told) as told
    from ended left join counted_down on counted_down.id = ended.user_id`;
}

export interface EndAll {
  tenantId: string;
  userId: string;
  reason: string;
  actor: string;
  ip: string | null;
  now: Fragment;
}

/**
 * Ends every session of a user within a transaction that sets the account's own count itself. Gives the ids.
 * The account's row must be locked by then: a session that was opened before is seen, a later one waits.
 */
export async function endAllSessions(sql: Sql, query: EndAll): Promise<string[]> {
  const { tenantId, now } = query;
  const rows = await sql<{ id: string }[]>`
    with ended as (
      update sessions s set revoked_at = ${now}, revoke_reason = ${query.reason}
      where s.tenant_id = ${tenantId}::uuid and s.user_id = ${query.userId}::uuid and s.revoked_at is null
      returning s.id, s.user_id
    ),
    told as materialized (
      select pg_notify(${FEED_CHANNEL}, ${`${SESSIONS_TOPIC}:`} || string_agg(id::text, ','))
      from (select id, (row_number() over () - 1) / ${IDS_A_NOTICE} as notice from ended) numbered
      group by notice
    ),
    audited as (
      insert into audit_events (tenant_id, id, action, actor, subject, ip, at, data)
      select ${tenantId}::uuid, gen_random_uuid(), 'session.ended', ${query.actor}, 'session:' || id, ${query.ip},
        ${now}, jsonb_build_object('reason', ${query.reason}::text, 'user_id', user_id) from ended
    )
    select ended.id, (select count(*) from told) as told from ended`;
  return rows.map((row) => row.id);
}

export interface LiveSession {
  id: string;
  user_id: string;
  device_id: string;
  style: 'jwt' | 'opaque';
  counter: number;
  role: string;
  amr: string[];
  last_used_at: Date;
  expires_at: Date;
}

/** One live session with its user's role, or undefined when it is over. */
export async function readLiveSession(
  database: Database,
  tenantId: string,
  sessionId: string,
): Promise<LiveSession | undefined> {
  const now = database.now();
  const [row] = await database.sql<LiveSession[]>`
    select s.id, s.user_id, s.device_id, s.style, s.counter, u.role, s.amr, s.last_used_at, s.expires_at
    from sessions s join users u on u.tenant_id = s.tenant_id and u.id = s.user_id
    where s.tenant_id = ${tenantId} and s.id = ${sessionId} and s.revoked_at is null and s.expires_at > ${now}
      and not u.is_disabled`;
  return row;
}

/** Ids of sessions that ended within the given time: what a feed that was lost may have missed. */
export async function readEndedSince(database: Database, seconds: number): Promise<string[]> {
  const rows = await database.sql<{ id: string }[]>`
    select id from sessions where revoked_at > ${database.now()} - make_interval(secs => ${seconds})`;
  return rows.map((row) => row.id);
}

export interface DeviceRow {
  id: string;
  kind: string;
  name: string;
  user_agent: string | null;
  last_ip: string | null;
  /** The chat it is, where it is one. */
  telegram_chat_id: string | null;
  first_seen: Date;
  last_seen: Date;
  session_ids: string[];
}

/** A user's devices that hold a live session, last used first. */
export function readDevices(database: Database, tenantId: string, userId: string): Promise<DeviceRow[]> {
  return database.sql<DeviceRow[]>`
    select d.id, d.kind, d.name, d.user_agent, d.last_ip, d.telegram_chat_id::text as telegram_chat_id, d.first_seen,
      greatest(d.last_seen, max(s.last_used_at)) as last_seen, array_agg(s.id) as session_ids
    from devices d join sessions s on s.tenant_id = d.tenant_id
      and (s.device_id = d.id or s.id = d.joined_session_id)
    where d.tenant_id = ${tenantId} and d.user_id = ${userId} and s.user_id = ${userId}
      and s.revoked_at is null and s.expires_at > ${database.now()}
    group by d.tenant_id, d.id order by last_seen desc, d.id`;
}

/** Renames a device of this user. False when it has none of that id. */
export async function renameDevice(
  database: Database,
  query: { tenantId: string; userId: string; deviceId: string; name: string; auditId: string; ip: string },
): Promise<boolean> {
  const now = database.now();
  const rows = await database.sql`
    with renamed as (
      update devices set name = ${query.name}
      where tenant_id = ${query.tenantId}::uuid and id = ${query.deviceId}::uuid and user_id = ${query.userId}::uuid
      returning id
    ),
    audited as (
      insert into audit_events (tenant_id, id, action, actor, subject, ip, at)
      select ${query.tenantId}::uuid, ${query.auditId}::uuid, 'device.renamed', ${`user:${query.userId}`},
        'device:' || id, ${query.ip}, ${now} from renamed
    )
    select id from renamed`;
  return rows.length > 0;
}

/** Notes that sessions and their devices were in use. Many at once, a few seconds late; nothing depends on it exactly. */
export async function touchSessions(
  database: Database,
  touches: readonly { tenantId: string; sessionId: string; ip: string }[],
): Promise<void> {
  const { sql } = database;
  const now = database.now();
  const statement = (): Promise<unknown> => sql`
    with locked as materialized (
      select s.tenant_id, s.id, t.ip
      from unnest(${touches.map((touch) => touch.tenantId)}::uuid[],
        ${touches.map((touch) => touch.sessionId)}::uuid[], ${touches.map((touch) => touch.ip)}::text[])
        as t (tenant_id, id, ip)
      join sessions s on s.tenant_id = t.tenant_id and s.id = t.id and s.revoked_at is null
      order by s.id for update of s
    ),
    touched as (
      update sessions s set last_used_at = greatest(s.last_used_at, ${now})
      from locked where s.tenant_id = locked.tenant_id and s.id = locked.id
      returning s.tenant_id, s.device_id, locked.ip
    )
    update devices d set last_seen = ${now}, last_ip = touched.ip
    from touched where d.tenant_id = touched.tenant_id and d.id = touched.device_id`;
  await withConflictRetry(statement);
}

/** Ids of tenants that hold sessions past their absolute life, for the sweep that ends them. */
export async function tenantsWithExpired(database: Database, limit: number): Promise<string[]> {
  const rows = await database.sql<{ tenant_id: string }[]>`
    select distinct tenant_id from (
      select tenant_id from sessions where revoked_at is null and expires_at <= ${database.now()}
      order by expires_at limit ${limit}) expired`;
  return rows.map((row) => row.tenant_id);
}

/** Removes sessions that ended before the given age, and the devices they leave empty. */
export async function sweepSessions(
  database: Database,
  olderThanSeconds: number,
  batch: number,
): Promise<number> {
  const result = await database.sql`
    with gone as (
      delete from sessions where (tenant_id, id) in (
        select tenant_id, id from sessions
        where revoked_at < ${database.now()} - make_interval(secs => ${olderThanSeconds})
        order by revoked_at limit ${batch} for update skip locked)
      returning tenant_id, id, device_id
    ),
    emptied as (
      delete from devices d using gone
      where d.tenant_id = gone.tenant_id and (d.id = gone.device_id or d.joined_session_id = gone.id) and not exists (
        select from sessions s where s.tenant_id = d.tenant_id and (s.device_id = d.id or s.id = d.joined_session_id)
          and s.id not in (select id from gone))
      returning d.id
    )
    select count(*) from gone`;
  return Number(result[0]?.['count'] ?? 0);
}

/** By what a caller is known: the network it comes from, a device it has shown the token of. */
export interface DeviceClues {
  /** An IPv4 address, or an IPv6 /64. */
  network?: string | undefined;
  deviceId?: string | undefined;
  /** Only devices that are signed in. */
  live?: boolean;
}

/**
 * SQL of type boolean over `b`, a row of an address: has this user a device that fits? Without clues: any at all.
 * Devices are remembered for thirty days after their last session has ended.
 */
export function ownDevicesFragment(sql: Sql, user: Fragment, clues: DeviceClues | undefined): Fragment {
  if (clues === undefined) {
    return sql`exists (select from devices d where d.tenant_id = b.tenant_id and d.user_id = ${user})`;
  }
  const { network, deviceId, live = false } = clues;
  const isIpv6 = network?.endsWith('::/64') ?? false;
  if (deviceId === undefined && (network === undefined || network === 'unknown')) return sql`false`;
  const fits = [
    ...(deviceId === undefined ? [] : [sql`d.id = ${deviceId}::uuid`]),
    ...(network === undefined || isIpv6 ? [] : [sql`d.last_ip = ${network}`]),
    ...(isIpv6
      ? [sql`case when d.last_ip like '%:%' then d.last_ip::inet <<= ${network as string}::cidr end`]
      : []),
  ].reduce((all, one) => sql`${all} or ${one}`);
  const lives = live
    ? sql`and exists (select from sessions s where s.tenant_id = d.tenant_id and s.user_id = d.user_id
        and s.device_id = d.id and s.revoked_at is null)`
    : sql``;
  return sql`exists (select from devices d
    where d.tenant_id = b.tenant_id and d.user_id = ${user} and (${fits}) ${lives})`;
}
