import { recordEvent } from '../audit/audit.ts';
import type { Database, Fragment, Sql } from '../db/database.ts';

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
  const { sql } = database;
  const rows = await sql`
    with renamed as (
      update devices set name = ${query.name}
      where tenant_id = ${query.tenantId}::uuid and id = ${query.deviceId}::uuid and user_id = ${query.userId}::uuid
      returning id
    ),
    audited as (${recordEvent(sql, {
      tenantId: query.tenantId,
      id: sql`${query.auditId}::uuid`,
      action: sql`'device.renamed'`,
      actor: sql`${`user:${query.userId}`}`,
      subject: sql`'device:' || id`,
      caller: { ip: query.ip },
      now: database.now(),
      from: sql`renamed`,
    })})
    select id from renamed`;
  return rows.length > 0;
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
 * SQL of type boolean over `b`, a row of an address: has this user a device that fits? Without clues: any at all. One
 * of which the owner has said that it was not them never fits.
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
    where d.tenant_id = b.tenant_id and d.user_id = ${user} and d.disputed_at is null and (${fits}) ${lives})`;
}

/**
 * The owner says that a session was not theirs: neither its device nor any that came since is known from then on. Where
 * devices share a session, the one it began on may be the owner's.
 * @param query.sessionId null: only what came since
 * @param query.since SQL of type timestamptz
 */
export async function disputeDevices(
  sql: Sql,
  query: { tenantId: string; userId: string; sessionId: string | null; since: Fragment; now: Fragment },
): Promise<void> {
  await sql`
    update devices d set disputed_at = ${query.now}
    where d.tenant_id = ${query.tenantId}::uuid and d.user_id = ${query.userId}::uuid and d.disputed_at is null
      and (d.first_seen >= ${query.since} or d.id = (select s.device_id from sessions s
        where s.tenant_id = ${query.tenantId}::uuid and s.id = ${query.sessionId}::uuid and not s.shared))`;
}
