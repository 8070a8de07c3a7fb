import type { Database, Sql } from '../db/database.ts';

/** A session with its device, as administrators and its owner's export see it. */
export interface SessionRow {
  id: string;
  style: 'jwt' | 'opaque';
  amr: string[];
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
  ended_at: Date | null;
  end_reason: string | null;
  device_id: string;
  device_kind: string;
  device_name: string;
  user_agent: string | null;
  last_ip: string | null;
}

/** An account's sessions, the newest first; those that ended as long as they are kept. */
export function readSessionsOf(
  database: Database,
  query: { tenantId: string; userId: string; onlyLive: boolean; before?: string | undefined; limit: number },
): Promise<SessionRow[]> {
  const { sql } = database;
  const { tenantId, userId, onlyLive, before } = query;
  return sql<SessionRow[]>`
    select s.id, s.style, s.amr, s.created_at, s.last_used_at, s.expires_at, s.revoked_at as ended_at,
      s.revoke_reason as end_reason, d.id as device_id, d.kind as device_kind, d.name as device_name, d.user_agent,
      d.last_ip
    from sessions s join devices d on d.tenant_id = s.tenant_id and d.id = s.device_id
    where s.tenant_id = ${tenantId}::uuid and s.user_id = ${userId}::uuid
      and (not ${onlyLive}::boolean or s.revoked_at is null and s.expires_at > ${database.now()})
      and ${before === undefined ? sql`true` : sql`s.id < ${before}::uuid`}
    order by s.id desc limit ${query.limit}`;
}

/** Takes from devices and sessions what tells of their owner. They stay for a while: their ends must stay known. */
export async function eraseDevices(sql: Sql, tenantId: string, userId: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    with emptied as (
      update devices set name = '', user_agent = null, last_ip = null, telegram_chat_id = null
      where tenant_id = ${tenantId}::uuid and user_id = ${userId}::uuid
      returning id
    )
    select 'device:' || id as id from emptied
    union all
    select 'session:' || s.id from sessions s where s.tenant_id = ${tenantId}::uuid and s.user_id = ${userId}::uuid`;
  return rows.map((row) => row.id);
}
