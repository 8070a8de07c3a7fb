import type { Fragment, Sql } from '../db/database.ts';

/**
 * Two entries of a `with` list after `from` (kind, value): addresses that an account has no more. What waits for a code
 * of theirs ends, and every proof of theirs not yet spent on a new password.
 */
export function endedCodesFragment(sql: Sql, tenantId: string, from: Fragment, now: Fragment): Fragment {
  return sql`
    dropped_codes as (
      delete from verifications v where v.tenant_id = ${tenantId}::uuid and v.consumed_at is null
        and (v.kind, v.value) in (select kind, value from ${from})
    ),
    dropped_proofs as (
      update verifications v set reset_at = ${now}
      where v.tenant_id = ${tenantId}::uuid and v.consumed_at is not null and v.reset_at is null
        and (v.kind, v.value) in (select kind, value from ${from})
    )`;
}

/** Ends every code that waits for these addresses, and every proof of theirs not yet spent on a new password. */
export async function endVerifications(
  sql: Sql,
  tenantId: string,
  addresses: readonly { kind: string; value: string }[],
  now: Fragment,
): Promise<void> {
  const kinds = addresses.map((address) => address.kind);
  const values = addresses.map((address) => address.value);
  await sql`
    with dropped as (
      delete from verifications where tenant_id = ${tenantId}::uuid and consumed_at is null
        and (kind, value) in (select * from unnest(${kinds}::text[], ${values}::text[]))
    )
    update verifications set reset_at = ${now}
    where tenant_id = ${tenantId}::uuid and consumed_at is not null and reset_at is null
      and (kind, value) in (select * from unnest(${kinds}::text[], ${values}::text[]))`;
}
