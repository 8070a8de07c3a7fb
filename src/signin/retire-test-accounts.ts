import { recordEvent } from '../audit/audit.ts';
import type { Database, Sql } from '../db/database.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { findTestAccounts, lockUser, removeTestAccount } from '../users/users.ts';
import type { SignInContext } from './context.ts';

const AT_ONCE = 100;
const NOBODY = { ip: null };

/**
 * The round of the worker that removes the accounts of fixed codes whose entry is gone or past its last day, with their
 * sessions: nothing of a tester is left when the address's owner comes.
 * @returns how many
 */
export async function retireTestAccounts(
  context: Pick<SignInContext, 'tenants' | 'sessions' | 'newId' | 'log'>,
  databases: readonly Database[],
  now: () => Date,
): Promise<number> {
  let count = 0;
  for (const database of databases) {
    for (const account of await findTestAccounts(database, AT_ONCE)) {
      const tenant = context.tenants.byId(account.tenant_id);
      const today = now().toISOString().slice(0, 10);
      const entry = tenant?.policy.testAddresses.find(({ id }) => id === account.test_entry);
      if (!tenant || (entry && entry.lastDay >= today)) continue;
      count += await retire(context, database, tenant, account.id);
    }
  }
  return count;
}

/** Sessions and account in one transaction: a server that dies in between leaves both, for the next round. */
async function retire(
  context: Pick<SignInContext, 'sessions' | 'newId' | 'log'>,
  database: Database,
  tenant: Tenant,
  userId: string,
): Promise<number> {
  const tenantId = tenant.id;
  const ended = await database.transaction(async (begun) => {
    const sql = begun as unknown as Sql;
    const now = database.now();
    if (!(await lockUser(sql, tenantId, userId))) return undefined;
    const reason = 'test_address_over';
    const ids = await context.sessions.endAll(sql, { tenantId, userId, reason, caller: NOBODY, now });
    const audited = recordEvent(sql, {
      tenantId,
      id: sql`${context.newId()}::uuid`,
      action: sql`'user.removed'`,
      actor: sql`'system'`,
      subject: sql`${`user:${userId}`}::text`,
      caller: undefined,
      now,
      data: sql`jsonb_build_object('reason', ${reason}::text)`,
      from: sql`removed`,
    });
    const removed = await sql`
      with removed as (${removeTestAccount(sql, tenantId, userId)}), audited as (${audited})
      select id from removed`;
    return removed.length > 0 ? ids : undefined;
  });
  if (!ended) return 0;
  await context.sessions.told(tenantId, ended);
  context.log.info(
    { event: 'test_account_removed', tenant: tenant.slug },
    'the account of a test address is gone with its entry',
  );
  return 1;
}
