import type { Database } from '../db/database.ts';

/** Writes the code that was approved elsewhere in the place of ours, and takes its counted attempt back, while it lives. */
export async function adoptCode(
  database: Database,
  adopted: { tenantId: string; id: string; codeHash: Uint8Array; codeSealed: Uint8Array },
): Promise<boolean> {
  const { count } = await database.sql`
    update verifications set code_hash = ${adopted.codeHash as Buffer}::bytea,
      code_sealed = ${adopted.codeSealed as Buffer}::bytea, attempts = attempts - 1
    where tenant_id = ${adopted.tenantId} and id = ${adopted.id} and not is_decoy
      and consumed_at is null and expires_at > ${database.now()} and attempts > 0`;
  return count > 0;
}

/** Nothing will fit any more: whoever made the code has seen too many wrong ones. */
export async function burnVerification(database: Database, tenantId: string, id: string): Promise<void> {
  await database.sql`
    update verifications set attempts = max_attempts
    where tenant_id = ${tenantId} and id = ${id} and consumed_at is null`;
}
