import { type Caller, recordEvent } from '../audit/audit.ts';
import type { Database, Fragment, Sql } from '../db/database.ts';

/** A private chat that the bot knows. Ids are strings: they have up to 52 significant bits. */
export interface ChatRow {
  chat_id: string;
  telegram_user_id: string;
  first_name: string | null;
  last_name: string | null;
  username: string | null;
  language: string | null;
  blocked_at: Date | null;
  /** The account that this chat currently belongs to, where it was linked. */
  user_id: string | null;
  /** When its number was last proved in it. */
  linked_at: Date | null;
}

/** What an update tells of who wrote it. */
export interface Sighting {
  tenantId: string;
  chatId: string;
  telegramUserId: string;
  firstName: string | null;
  lastName: string | null;
  username: string | null;
  language: string | null;
  auditId: string;
  caller: Caller;
}

/**
 * Notes that somebody writes to the bot: names and language as Telegram tells them now; whoever writes has not blocked
 * it. A first sighting and a return are audited.
 */
export async function upsertChat(database: Database, sighting: Sighting): Promise<ChatRow> {
  const { sql } = database;
  const now = database.now();
  const { tenantId, chatId } = sighting;
  const [row] = await sql<ChatRow[]>`
    with before as (
      select blocked_at from telegram_chats where tenant_id = ${tenantId} and chat_id = ${chatId}::bigint
    ),
    written as (
      insert into telegram_chats as c (tenant_id, chat_id, telegram_user_id, first_name, last_name, username, language,
        first_seen, last_seen)
      values (${tenantId}, ${chatId}::bigint, ${sighting.telegramUserId}::bigint, ${sighting.firstName},
        ${sighting.lastName}, ${sighting.username}, ${sighting.language}, ${now}, ${now})
      on conflict (tenant_id, chat_id) do update set first_name = excluded.first_name,
        last_name = excluded.last_name, username = excluded.username,
        language = coalesce(excluded.language, c.language), blocked_at = null, last_seen = excluded.last_seen
      returning c.*
    ),
    audited as (${recordEvent(sql, {
      tenantId,
      id: sql`${sighting.auditId}::uuid`,
      action: sql`case when exists (select from before) then 'telegram.unblocked' else 'telegram.started' end`,
      actor: sql`${`telegram:${sighting.telegramUserId}`}`,
      subject: sql`${`telegram_chat:${chatId}`}`,
      caller: sighting.caller,
      now,
      from: sql`written where not exists (select from before where blocked_at is null)`,
    })})
    select ${columns(sql)} from written c`;
  if (!row) throw new Error('the chat statement gave no row');
  return row;
}

function columns(sql: Sql): Fragment {
  return sql`c.chat_id::text as chat_id, c.telegram_user_id::text as telegram_user_id, c.first_name, c.last_name,
    c.username, c.language, c.blocked_at, c.user_id, c.linked_at`;
}

/** Marks a chat as one that nothing reaches any more. False when it was so already, or is not known. */
export async function blockChat(
  database: Database,
  query: { tenantId: string; chatId: string; auditId: string },
): Promise<boolean> {
  const { sql } = database;
  const now = database.now();
  const rows = await sql`
    with blocked as (
      update telegram_chats set blocked_at = ${now}
      where tenant_id = ${query.tenantId} and chat_id = ${query.chatId}::bigint and blocked_at is null
      returning chat_id, telegram_user_id
    ),
    audited as (${recordEvent(sql, {
      tenantId: query.tenantId,
      id: sql`${query.auditId}::uuid`,
      action: sql`'telegram.blocked'`,
      actor: sql`'telegram:' || blocked.telegram_user_id`,
      subject: sql`'telegram_chat:' || blocked.chat_id`,
      caller: undefined,
      now,
      from: sql`blocked`,
    })})
    select chat_id from blocked`;
  return rows.length > 0;
}

/** One chat by its id, blocked or not. */
export async function readChat(
  database: Database,
  tenantId: string,
  chatId: string,
): Promise<ChatRow | undefined> {
  const { sql } = database;
  const [row] = await sql<ChatRow[]>`
    select ${columns(sql)} from telegram_chats c where c.tenant_id = ${tenantId} and c.chat_id = ${chatId}::bigint`;
  return row;
}

/** The open chat that an account was linked to last, and how long ago its number was proved there. */
export async function readChatOfUser(
  database: Database,
  tenantId: string,
  userId: string,
): Promise<(ChatRow & { proved_days_ago: number }) | undefined> {
  const { sql } = database;
  const [row] = await sql<(ChatRow & { proved_days_ago: number })[]>`
    select ${columns(sql)}, extract(epoch from ${database.now()} - c.linked_at)::float8 / 86400 as proved_days_ago
    from telegram_chats c
    where c.tenant_id = ${tenantId} and c.user_id = ${userId}::uuid and c.blocked_at is null
    order by c.linked_at desc limit 1`;
  return row;
}

/**
 * An entry of a `with` list after `proof`: `told`, the names Telegram itself gave for the Telegram account that is
 * being proved; no row for any other address (C4).
 */
export function toldFragment(sql: Sql, tenantId: string): Fragment {
  return sql`told as materialized (
    select c.first_name, c.last_name, c.username from proof
      join telegram_chats c on c.tenant_id = ${tenantId}::uuid
        and c.chat_id = case when proof.kind = 'telegram' then proof.value::bigint end
    where proof.state = 'proved')`;
}
