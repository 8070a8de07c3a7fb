import { recordEvent } from '../audit/audit.ts';
import { type Database, type Fragment, type Sql, withConflictRetry } from '../db/database.ts';
import { consequencesFragment } from './end-store.ts';
import { ADMINISTRATOR_LIFE_SECONDS } from './policy.ts';

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
    audited as (${recordEvent(sql, {
      tenantId,
      id: sql`${query.auditId}::uuid`,
      action: sql`'session.refresh_reused'`,
      actor: sql`'user:' || user_id`,
      subject: sql`'session:' || id`,
      caller: query,
      now,
      from: sql`ended`,
    })})
    select case when r.revoked_at is not null then 'reused' when u.is_disabled then 'disabled'
        else 'refreshed' end as outcome,
      r.counter, r.user_id, r.device_id, r.amr, u.role, u.epoch, r.expires_at, ${now} as now,
      (select count(*) from told) as told
    from refreshed r join users u on u.tenant_id = ${tenantId}::uuid and u.id = r.user_id`;
  return row;
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
