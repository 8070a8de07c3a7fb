import type { Fragment, Sql } from '../db/database.ts';

/** Whose verifications are meant: an account's own, and those of its addresses. */
export interface Person {
  tenantId: string;
  userId: string;
  addresses: readonly { kind: string; value: string }[];
}

/** SQL: a query of the ids of a person's verifications, as far as they are kept. */
export function verificationsOf(sql: Sql, { tenantId, userId, addresses }: Person): Fragment {
  return sql`
    select v.id from verifications v where v.tenant_id = ${tenantId}::uuid and (v.user_id = ${userId}::uuid
      or (v.kind, v.value) in (select * from unnest(${addresses.map((one) => one.kind)}::text[],
        ${addresses.map((one) => one.value)}::text[])))`;
}

/** Removes them, codes that wait included. */
export async function eraseVerifications(sql: Sql, person: Person): Promise<void> {
  await sql`delete from verifications where tenant_id = ${person.tenantId}::uuid
    and id = any(array(${verificationsOf(sql, person)}))`;
}
