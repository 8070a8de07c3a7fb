import type { Database, Sql } from '../db/database.ts';

/** The chat of an account as its export shows it. */
export interface PersonChat {
  chat_id: string;
  telegram_user_id: string;
  first_name: string | null;
  last_name: string | null;
  username: string | null;
  language: string | null;
  first_seen: Date;
  last_seen: Date;
}

/** The chats of an account: the one it has, and those of its Telegram accounts. */
export function readChatsOf(
  database: Database,
  query: { tenantId: string; userId: string; telegramIds: readonly string[] },
): Promise<PersonChat[]> {
  return database.sql<PersonChat[]>`
    select chat_id::text as chat_id, telegram_user_id::text as telegram_user_id, first_name, last_name, username,
      language, first_seen, last_seen
    from telegram_chats
    where tenant_id = ${query.tenantId}::uuid and (user_id = ${query.userId}::uuid
      or telegram_user_id = any(${query.telegramIds as string[]}::bigint[]))
    order by chat_id`;
}

/** Removes them with the codes they wait for and their moves. Gives their ids. */
export async function eraseChats(
  sql: Sql,
  query: { tenantId: string; userId: string; telegramIds: readonly string[] },
): Promise<string[]> {
  const { tenantId, userId } = query;
  const rows = await sql<{ chat_id: string }[]>`
    with moves as (
      delete from chat_moves where tenant_id = ${tenantId}::uuid and user_id = ${userId}::uuid
    ),
    gone as (
      delete from telegram_chats where tenant_id = ${tenantId}::uuid and (user_id = ${userId}::uuid
        or telegram_user_id = any(${query.telegramIds as string[]}::bigint[]))
      returning chat_id
    ),
    challenges as (
      delete from chat_challenges c using gone where c.tenant_id = ${tenantId}::uuid and c.chat_id = gone.chat_id
    )
    select chat_id::text as chat_id from gone`;
  return rows.map((row) => row.chat_id);
}
