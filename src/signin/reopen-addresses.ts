import { type Caller, recordEvent } from '../audit/audit.ts';
import type { Fragment, Sql } from '../db/database.ts';
import type { Access } from '../sessions/sessions.ts';
import type { Tenant, Tenants } from '../tenants/tenants.ts';
import { addressesOf } from '../users/users.ts';
import { type AddressFields, locateAddress } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';
import type { Refused } from '../kernel/errors.ts';

/** What opening addresses needs. */
export type ReopenContext = Pick<SignInContext, 'databaseOf' | 'budgets' | 'newId'>;

/** Addresses that had been closed by a hundred wrong codes in a row and are open again. */
export interface Reopened {
  ok: true;
  addresses: { kind: string; value: string }[];
}

/** A signed-in device opens its owner's addresses again (NIST SP 800-63B-4, 3.2.2: the owner binds anew). */
export function reopenOwnAddresses(
  context: ReopenContext,
  access: Access,
  caller: Caller,
): Promise<Reopened> {
  const { tenant, userId } = access;
  return reopen(context, tenant, (sql) => addressesOf(sql, tenant.id, userId), `user:${userId}`, caller);
}

/** An administrator opens an address again. Refuses what is no address. */
export async function reopenAddress(
  context: ReopenContext & { tenants: Tenants },
  fields: AddressFields & { tenant?: string },
  actor: string,
  clues: RequestClues,
): Promise<Reopened | Refused> {
  const located = locateAddress(context.tenants, fields, clues);
  if (!located.ok) return located;
  const { tenant, address } = located;
  return reopen(
    context,
    tenant,
    (sql) => sql`select ${address.kind}::text, ${address.value}::text`,
    actor,
    clues.caller,
  );
}

async function reopen(
  context: ReopenContext,
  tenant: Tenant,
  addresses: (sql: Sql) => Fragment,
  actor: string,
  caller: Caller,
): Promise<Reopened> {
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  const audited = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`gen_random_uuid()`,
    action: sql`'address.reopened'`,
    actor: sql`${actor}::text`,
    subject: sql`kind || ':' || value`,
    caller,
    now: database.now(),
    from: sql`reopened`,
  });
  const rows = await sql<{ kind: string; value: string }[]>`
    with reopened as (${context.budgets.reopen(sql, tenant.id, addresses(sql))}), recorded as (${audited})
    select kind, value from reopened`;
  return { ok: true, addresses: rows.map(({ kind, value }) => ({ kind, value })) };
}
