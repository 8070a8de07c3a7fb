import type { Fragment, Sql } from '../db/database.ts';

/** Removes the sign-in links that a person began or opened. */
export async function eraseLinks(
  sql: Sql,
  query: { tenantId: string; userId: string; telegramIds: readonly string[] },
): Promise<void> {
  await sql`
    delete from telegram_links where tenant_id = ${query.tenantId}::uuid and (user_id = ${query.userId}::uuid
      or opened_by = any(${query.telegramIds as string[]}::bigint[]))`;
}

/** Ends every sign-in link of a tenant that is not over. Gives how many. */
export async function endAllLinks(sql: Sql, tenantId: string, now: Fragment): Promise<number> {
  const { count } = await sql`
    update telegram_links set expires_at = ${now} where tenant_id = ${tenantId}::uuid and expires_at > ${now}`;
  return count;
}
