import type { Sql } from '../db/database.ts';

/** Removes what an account's owner was told of, and was to be told. */
export async function eraseNotices(sql: Sql, tenantId: string, userId: string): Promise<void> {
  await sql`delete from notices where tenant_id = ${tenantId}::uuid and user_id = ${userId}::uuid`;
}
