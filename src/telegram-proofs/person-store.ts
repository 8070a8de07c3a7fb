import type { Sql } from '../db/database.ts';

/** Removes the sign-in links that a person began or opened. */
export async function eraseLinks(
  sql: Sql,
  query: { tenantId: string; userId: string; telegramIds: readonly string[] },
): Promise<void> {
  await sql`
    delete from telegram_links where tenant_id = ${query.tenantId}::uuid and (user_id = ${query.userId}::uuid
      or opened_by = any(${query.telegramIds as string[]}::bigint[]))`;
}
