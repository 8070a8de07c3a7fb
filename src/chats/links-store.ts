import type { Database, Fragment, Sql } from '../db/database.ts';

/** The unique index whose violation means: another chat of the account was linked a moment ago, look again. */
export const CURRENT_CHAT_INDEX = 'telegram_chats_current';

/** For so long the earlier chat may undo a move. */
const UNDO_HOURS = 72;

export interface CurrentChat {
  chat_id: string;
  language: string | null;
  blocked_at: Date | null;
}

/** The one chat that an account has. Inside a transaction that holds the account's row it stays so. */
export async function readCurrentChat(
  sql: Sql,
  tenantId: string,
  userId: string,
): Promise<CurrentChat | undefined> {
  const [row] = await sql<CurrentChat[]>`
    select chat_id::text as chat_id, language, blocked_at from telegram_chats
    where tenant_id = ${tenantId}::uuid and user_id = ${userId}::uuid`;
  return row;
}

/** SQL of type boolean over `u`, a row of users: is this its chat? */
export function isChatOf(sql: Sql, tenantId: string, chatId: string): Fragment {
  return sql`exists (select from telegram_chats c
    where c.tenant_id = ${tenantId}::uuid and c.chat_id = ${chatId}::bigint and c.user_id = u.id)`;
}

export interface ChatLink {
  tenantId: string;
  chatId: string;
  moveId: string;
  now: Fragment;
}

/**
 * Entries of a `with` list after `account` and `opened`: the account's chat is this one from now on, and the earlier
 * one is not any more. Gives `moved` (from_chat_id) where there was another, and `linked` (changed).
 */
export function linkFragment(sql: Sql, { tenantId, chatId, moveId, now }: ChatLink): Fragment {
  return sql`
    before as materialized (
      select user_id from telegram_chats where tenant_id = ${tenantId}::uuid and chat_id = ${chatId}::bigint
    ),
    answered as (
      delete from chat_challenges where tenant_id = ${tenantId}::uuid and chat_id = ${chatId}::bigint
        and exists (select from opened)
    ),
    left_chat as (
      update telegram_chats c set user_id = null, linked_at = null
      from account, opened
      where c.tenant_id = ${tenantId}::uuid and c.user_id = account.id and c.chat_id <> ${chatId}::bigint
      returning c.chat_id
    ),
    linked as (
      insert into telegram_chats as c (tenant_id, chat_id, telegram_user_id, user_id, linked_at, first_seen, last_seen)
      select ${tenantId}::uuid, ${chatId}::bigint, ${chatId}::bigint, account.id, ${now}, ${now}, ${now}
      from account, opened where (select count(*) from left_chat) >= 0
      on conflict (tenant_id, chat_id) do update set user_id = excluded.user_id, last_seen = excluded.last_seen,
        linked_at = excluded.linked_at
      returning c.chat_id, not exists (select from before where before.user_id = c.user_id) as changed
    ),
    moved as (
      insert into chat_moves (tenant_id, id, user_id, from_chat_id, to_chat_id, moved_at, undo_until)
      select ${tenantId}::uuid, ${moveId}::uuid, account.id, left_chat.chat_id, ${chatId}::bigint, ${now},
        ${now} + make_interval(hours => ${UNDO_HOURS})
      from left_chat, account
      returning id, from_chat_id
    )`;
}

/** `insert …` for a `with` list after `issued` (id): the code that this chat waits for, in the place of an earlier one. */
export function challengeFragment(sql: Sql, tenantId: string, chatId: string): Fragment {
  return sql`
    insert into chat_challenges as c (tenant_id, chat_id, verification_id)
    select ${tenantId}::uuid, ${chatId}::bigint, issued.id from issued
    on conflict (tenant_id, chat_id) do update set verification_id = excluded.verification_id`;
}

export interface Challenge {
  id: string;
  purpose: 'sign_in';
  phone: string;
  is_live: boolean;
}

/** The code that a chat waits for, used up and expired ones too, so that the person is told so. */
export async function readChallenge(
  database: Database,
  tenantId: string,
  chatId: string,
): Promise<Challenge | undefined> {
  const [row] = await database.sql<Challenge[]>`
    select v.id, v.purpose, v.value as phone, v.consumed_at is null and v.expires_at > ${database.now()} as is_live
    from chat_challenges c join verifications v on v.tenant_id = c.tenant_id and v.id = c.verification_id
    where c.tenant_id = ${tenantId} and c.chat_id = ${chatId}::bigint`;
  return row;
}

/** The chat waits for no code any more: the person has thought better of it. */
export async function deleteChallenge(database: Database, tenantId: string, chatId: string): Promise<void> {
  await database.sql`
    delete from chat_challenges where tenant_id = ${tenantId} and chat_id = ${chatId}::bigint`;
}

export interface Move {
  user_id: string;
  to_chat_id: string;
  moved_at: Date;
}

/** The move that this chat may undo: its own, in time, and not undone. Locks nothing. */
export async function readUndoable(
  sql: Sql,
  query: { tenantId: string; chatId: string; moveId: string; now: Fragment },
): Promise<Move | undefined> {
  const [row] = await sql<Move[]>`
    select user_id, to_chat_id::text as to_chat_id, moved_at from chat_moves
    where tenant_id = ${query.tenantId}::uuid and id = ${query.moveId}::uuid
      and from_chat_id = ${query.chatId}::bigint and undone_at is null and undo_until > ${query.now}`;
  return row;
}

/**
 * Undoes a move and every one after it: whoever took the chat and moved on must not keep it. The chat that asks is the
 * account's again. Gives the chats that lose it. The transaction holds the account's row.
 */
export async function undoMoves(
  sql: Sql,
  query: { tenantId: string; userId: string; chatId: string; since: Date; audited: Fragment; now: Fragment },
): Promise<string[]> {
  const { tenantId, userId, chatId, now } = query;
  const rows = await sql<{ chat_id: string }[]>`
    with undone as (
      update chat_moves set undone_at = ${now}
      where tenant_id = ${tenantId}::uuid and user_id = ${userId}::uuid and moved_at >= ${query.since}
        and undone_at is null
      returning to_chat_id
    ),
    left_chat as (
      update telegram_chats set user_id = null, linked_at = null
      where tenant_id = ${tenantId}::uuid and user_id = ${userId}::uuid and chat_id <> ${chatId}::bigint
        and exists (select from undone)
      returning chat_id
    ),
    linked as (
      update telegram_chats set user_id = ${userId}::uuid, linked_at = ${now}
      where tenant_id = ${tenantId}::uuid and chat_id = ${chatId}::bigint and exists (select from undone)
        and (select count(*) from left_chat) >= 0
      returning chat_id
    ),
    audited as (${query.audited})
    select distinct to_chat_id::text as chat_id from undone where to_chat_id <> ${chatId}::bigint`;
  return rows.map((row) => row.chat_id);
}

/** When the account's chat last changed, if that was not undone: sensitive changes wait for a day after it (C7). */
export async function readLastMove(
  database: Database,
  tenantId: string,
  userId: string,
): Promise<{ moved_at: Date; seconds_ago: number } | undefined> {
  const [row] = await database.sql<{ moved_at: Date; seconds_ago: number }[]>`
    select moved_at, extract(epoch from ${database.now()} - moved_at)::float8 as seconds_ago from chat_moves
    where tenant_id = ${tenantId} and user_id = ${userId}::uuid and undone_at is null
    order by moved_at desc limit 1`;
  return row;
}
