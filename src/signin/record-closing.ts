import { recordEvent } from '../audit/audit.ts';
import type { Fragment, Sql } from '../db/database.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { RequestClues, SignInContext } from './context.ts';

/**
 * The entry after a proof by code: one event where this very wrong code was the last that the address bore in a row,
 * and closed it. Of many at once exactly one is that one, since they wait for the address's row.
 */
export function recordClosing(
  context: SignInContext,
  sql: Sql,
  tenant: Tenant,
  { caller }: RequestClues,
  now: Fragment,
): Fragment {
  const { inARow } = context.budgets;
  const recorded = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`'address.closed'`,
    actor: sql`'anonymous'`,
    subject: sql`closed.kind || ':' || closed.value`,
    caller,
    now,
    data: sql`jsonb_build_object('wrong_codes_in_a_row', closed.failures_in_a_row)`,
    from: sql`(select remembered.* from remembered, budget
      where remembered.failures_in_a_row >= ${inARow}::int and budget.failures_in_a_row < ${inARow}::int) closed`,
  });
  return sql`recorded_closing as (${recorded})`;
}
