import type { Sql } from '../db/database.ts';

/** Forgets that these recipients could not be reached. Servers that remember it do so until their next look. */
export async function eraseSuppressions(
  sql: Sql,
  tenantId: string,
  recipients: readonly string[],
): Promise<void> {
  await sql`delete from suppressions where tenant_id = ${tenantId}::uuid
    and recipient = any(${recipients as string[]}::text[])`;
}
