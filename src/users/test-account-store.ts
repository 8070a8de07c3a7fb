import type { Database, Fragment, Sql } from '../db/database.ts';

/** An account that a fixed code has made. */
export interface TestAccount {
  tenant_id: string;
  id: string;
  test_entry: string;
}

/** Those of a database, at most so many. */
export function readTestAccounts(database: Database, limit: number): Promise<TestAccount[]> {
  return database.sql<TestAccount[]>`
    select tenant_id, id, test_entry from users where test_entry is not null order by tenant_id, test_entry limit ${limit}`;
}

/** Whether an address belongs to a real account, to one that a fixed code has made, or to nobody. */
export async function readAccountKind(
  database: Database,
  tenantId: string,
  address: { kind: string; value: string },
): Promise<'real' | 'test' | 'none'> {
  const [row] = await database.sql<{ is_test: boolean }[]>`
    select u.test_entry is not null as is_test
    from identities i join users u on u.tenant_id = i.tenant_id and u.id = i.user_id
    where i.tenant_id = ${tenantId} and i.kind = ${address.kind} and i.value = ${address.value}`;
  return row === undefined ? 'none' : row.is_test ? 'test' : 'real';
}

/** `delete …` for a `with` list: the account with all that hangs on it, if a fixed code has made it. Gives the id. */
export function removeTestAccountFragment(sql: Sql, tenantId: string, userId: string): Fragment {
  return sql`
    delete from users where tenant_id = ${tenantId}::uuid and id = ${userId}::uuid and test_entry is not null
    returning id`;
}
