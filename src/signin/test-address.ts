import type { Tenant } from '../tenants/tenants.ts';
import { accountKindOf } from '../users/users.ts';
import { type Purpose, readTestUse } from '../verification/verification.ts';
import type { Address } from './address.ts';
import type { SignInContext } from './context.ts';

/** What a fixed code may prove: never a change of what an account has, nor a new password. */
const PURPOSES: ReadonlySet<Purpose> = new Set(['sign_in', 'register']);

/**
 * How a code for this address is made. Undefined: as any other. `fixed`: it is the entry's, and nothing is sent.
 * `silent`: nothing is sent and no code fits, as the entry is over or does not serve this purpose.
 *
 * An entry counts for nothing where the address has a real account. Only addresses that stand in the settings cost a
 * look into the database.
 */
export async function testAddressOf(
  context: SignInContext,
  tenant: Tenant,
  address: Pick<Address, 'kind' | 'value'>,
  purpose: Purpose,
): Promise<{ kind: 'fixed'; entryId: string; code: string } | { kind: 'silent' } | undefined> {
  const entry = tenant.policy.testAddresses.find(
    ({ kind, value }) => kind === address.kind && value === address.value,
  );
  if (!entry) return undefined;
  const database = context.databaseOf(tenant.id);
  const [account, use] = await Promise.all([
    accountKindOf(database, tenant.id, address),
    readTestUse(database, tenant.id, entry),
  ]);
  if (account === 'real') return undefined;
  const code = context.tenants.testCodeOf(tenant, entry);
  if (code !== undefined && !use.isOver && PURPOSES.has(purpose)) {
    return { kind: 'fixed', entryId: entry.id, code };
  }
  if (PURPOSES.has(purpose)) {
    context.log.warn(
      { event: 'test_address_over', tenant: tenant.slug },
      `a test address was used whose code no longer works: firstproof tenant test-address list ${tenant.slug}`,
    );
  }
  return { kind: 'silent' };
}
