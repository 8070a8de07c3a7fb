import type { Database, Fragment, Sql } from '../db/database.ts';
import type { Purpose } from './policy.ts';

/** What a reset token names, if it may still be spent. */
export async function readResettable(
  database: Database,
  tenantId: string,
  id: string,
  lifeSeconds: number,
): Promise<
  { kind: string; value: string; user_id: string | null; purpose: Purpose; is_fresh: boolean } | undefined
> {
  const { sql } = database;
  const [row] = await sql<
    { kind: string; value: string; user_id: string | null; purpose: Purpose; is_fresh: boolean }[]
  >`
    select kind, value, user_id, purpose,
      consumed_at > ${database.now()} - make_interval(secs => ${lifeSeconds}) as is_fresh
    from verifications
    where tenant_id = ${tenantId} and id = ${id} and consumed_at is not null and reset_at is null`;
  return row;
}

/** `update …` for a `with` list: spends a proof on a new password, once and in time. Gives the id, or no row. */
export function spendResetFragment(
  sql: Sql,
  spend: { tenantId: string; id: string; lifeSeconds: number; now: Fragment },
): Fragment {
  return sql`
    update verifications set reset_at = ${spend.now}
    where tenant_id = ${spend.tenantId}::uuid and id = ${spend.id}::uuid and consumed_at is not null
      and reset_at is null and consumed_at > ${spend.now} - make_interval(secs => ${spend.lifeSeconds})
    returning id`;
}
