import type { Fragment, Sql } from '../db/database.ts';

/** Ends every code of a tenant that is neither used nor over. Gives how many. */
export async function endAllCodes(sql: Sql, tenantId: string, now: Fragment): Promise<number> {
  const { count } = await sql`
    update verifications set expires_at = ${now}
    where tenant_id = ${tenantId}::uuid and consumed_at is null and expires_at > ${now}`;
  return count;
}
