import type { Database, Fragment, Sql } from '../db/database.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { endSessionsIn } from './end-store.ts';
import { lifeOf, type OpenSession } from './store.ts';

/** The unique index that holds the rule: one shared session an account. Its violation means: another came first, look again. */
export const SHARED_INDEX = 'sessions_shared';

/** What a sign-in joins, found while the account's row is locked. */
export interface Joining {
  /** The live session whose token it gets; undefined: it opens one. */
  sessionId: string | undefined;
  /** The device that this chat is already; undefined: a new one. */
  deviceId: string | undefined;
  /** Will those who come later join the session it opens? */
  shared: boolean;
  chatId: string | undefined;
  /** The account; undefined where the proof is about to make it. */
  userId: string | undefined;
}

export interface JoiningQuery {
  tenant: Tenant;
  /** Undefined: the proof is about to make the account. */
  userId: string | undefined;
  role: string;
  /** The Telegram chat that signs in, if it is one. */
  chatId: string | undefined;
  now: Fragment;
}

/** Never for administrators: the theft of one device's token would be the theft of all (C2). */
function sharesSession(tenant: Tenant, role: string): boolean {
  return tenant.policy.sessionSharing === 'per_user' && role !== 'admin';
}

/** SQL over `s`, the condition of endSessions: what was begun in these chats, or is shared with them. */
export function begunInChats(sql: Sql, userId: string, chatIds: readonly string[]): Fragment {
  return sql`s.user_id = ${userId}::uuid and exists (select from devices d
    where d.tenant_id = s.tenant_id and d.user_id = s.user_id
      and d.telegram_chat_id = any(${chatIds as string[]}::bigint[])
      and (d.id = s.device_id or d.joined_session_id = s.id))`;
}

/** Ids of what was begun in these chats, or since then anywhere but in the one that is kept; also of what has ended. */
export async function readBegunWith(
  sql: Sql,
  query: { tenantId: string; userId: string; chatIds: readonly string[]; keptChatId: string; since: Date },
): Promise<string[]> {
  const { tenantId, userId, chatIds, keptChatId, since } = query;
  const rows = await sql<{ id: string }[]>`
    select s.id from sessions s where s.tenant_id = ${tenantId}::uuid and (${begunInChats(sql, userId, chatIds)}
      or (s.user_id = ${userId}::uuid and s.created_at >= ${since}
        and not (${begunInChats(sql, userId, [keptChatId])})))`;
  return rows.map((row) => row.id);
}

/** The live session whose token a chat holds; with `chatId` null: any live session of the account. */
export async function readSessionOfChat(
  database: Database,
  query: { tenantId: string; userId: string; chatId: string | null; idleSeconds: number | null },
): Promise<ChatSession | undefined> {
  const { sql } = database;
  const now = database.now();
  const { chatId, idleSeconds } = query;
  const [row] = await sql<ChatSession[]>`
    select s.id, s.device_id, s.style, s.amr, s.created_at, s.expires_at, ${now} as now
    from sessions s
    where s.tenant_id = ${query.tenantId} and s.user_id = ${query.userId}::uuid and s.revoked_at is null
      and s.expires_at > ${now} and (${idleSeconds}::float8 is null
        or s.last_used_at >= ${now} - make_interval(secs => ${idleSeconds}::float8))
      and (${chatId}::bigint is null or s.style = 'opaque' and ${begunInChats(sql, query.userId, [chatId ?? '0'])})
    order by s.expires_at desc limit 1`;
  return row;
}

export interface ChatSession {
  id: string;
  device_id: string;
  style: 'jwt' | 'opaque';
  amr: string[];
  created_at: Date;
  expires_at: Date;
  now: Date;
}

interface LiveRow {
  id: string;
  is_over: boolean;
}

/**
 * Finds the session that a sign-in joins: with `per_user` the one its devices share, else the one this chat already
 * holds. One past its time ends here, so that its place is free. The transaction holds the account's row: nobody else
 * opens or ends a session of it meanwhile.
 */
export async function findJoining(sql: Sql, query: JoiningQuery): Promise<Joining> {
  const { tenant, userId, chatId = null, now } = query;
  const shared = sharesSession(tenant, query.role);
  if (userId === undefined)
    return { sessionId: undefined, deviceId: undefined, shared, chatId: query.chatId, userId };
  const idle = tenant.policy.sessionIdleSeconds ?? null;
  const rows = await sql<LiveRow[]>`
    select s.id, s.expires_at <= ${now}
      or coalesce(s.last_used_at < ${now} - make_interval(secs => ${idle}::float8), false) as is_over
    from sessions s
    where s.tenant_id = ${tenant.id}::uuid and s.user_id = ${userId}::uuid and s.revoked_at is null
      and s.style = 'opaque' and s.shared = ${shared}::boolean
      and (${shared}::boolean or exists (select from devices d where d.tenant_id = s.tenant_id and d.id = s.device_id
        and d.user_id = s.user_id and d.telegram_chat_id = ${chatId}::bigint))
    order by s.id desc`;
  const over = rows.filter((row) => row.is_over).map((row) => row.id);
  if (over.length > 0) {
    await endSessionsIn(sql, {
      tenantId: tenant.id,
      which: sql`s.id = any(${over}::uuid[])`,
      reason: 'expired',
      actor: 'system',
      ip: null,
      userAgent: null,
      now,
    });
  }
  return {
    sessionId: rows.find((row) => !row.is_over)?.id,
    deviceId: chatId === null ? undefined : await findDeviceOfChat(sql, tenant.id, userId, chatId),
    shared,
    chatId: chatId ?? undefined,
    userId,
  };
}

async function findDeviceOfChat(
  sql: Sql,
  tenantId: string,
  userId: string,
  chatId: string,
): Promise<string | undefined> {
  const [device] = await sql<{ id: string }[]>`
    select id from devices where tenant_id = ${tenantId}::uuid and telegram_chat_id = ${chatId}::bigint
      and user_id = ${userId}::uuid
    order by last_seen desc, id desc limit 1`;
  return device?.id;
}

/**
 * As openFragment, but the session may be one that lives, and the device one that is known: `device` and `opened` after
 * `account`. The caller has counted: an account that joins has as many sessions as before.
 */
export function joinFragment(sql: Sql, session: OpenSession, joining: Joining): Fragment {
  const { tenantId, now } = session;
  return sql`
    device as (
      insert into devices (tenant_id, id, user_id, kind, name, telegram_chat_id, joined_session_id, user_agent, last_ip,
        first_seen, last_seen)
      select ${tenantId}::uuid, ${joining.deviceId ?? session.deviceId}::uuid, account.id, ${session.deviceKind},
        ${session.deviceName}, ${joining.chatId ?? null}::bigint,
        case when ${joining.shared}::boolean then ${joining.sessionId ?? session.sessionId}::uuid end,
        ${session.userAgent}, ${session.ip}, ${now}, ${now}
      from account where not account.is_disabled
      on conflict (tenant_id, id) do update set joined_session_id = excluded.joined_session_id,
        last_ip = excluded.last_ip, last_seen = excluded.last_seen
      returning id, user_id
    ),
    opened as (
      insert into sessions (tenant_id, id, user_id, device_id, style, amr, proofs, shared, created_at, last_used_at, expires_at)
      select ${tenantId}::uuid, ${joining.sessionId ?? session.sessionId}::uuid, device.user_id, device.id, 'opaque',
        ${session.amr as string[]}::text[], ${session.proofs}, ${joining.shared}::boolean, ${now}, ${now},
        ${now} + make_interval(secs => ${lifeOf(sql, session)})
      from device
      on conflict (tenant_id, id) do update set last_used_at = excluded.last_used_at,
        proofs = sessions.proofs || excluded.proofs
      returning id, (select id from device) as device_id, created_at, expires_at
    )`;
}
