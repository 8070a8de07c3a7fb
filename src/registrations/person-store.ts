import type { Sql } from '../db/database.ts';

/** Removes what waits for these addresses. */
export async function eraseRegistrations(
  sql: Sql,
  tenantId: string,
  addresses: readonly { kind: string; value: string }[],
): Promise<void> {
  await sql`
    delete from pending_registrations where tenant_id = ${tenantId}::uuid and (kind, value) in (
      select * from unnest(${addresses.map((one) => one.kind)}::text[], ${addresses.map((one) => one.value)}::text[]))`;
}

/** Removes whatever waits in a tenant. Gives how many. */
export async function removeAllRegistrations(sql: Sql, tenantId: string): Promise<number> {
  const { count } = await sql`delete from pending_registrations where tenant_id = ${tenantId}::uuid`;
  return count;
}
