import type { Database } from '../db/database.ts';

/** A verification's message as a provider has taken it. */
export interface CarriedCode {
  verification_id: string;
  provider: string;
  provider_message_id: string;
}

/** What carried the codes of these verifications, the latest first. Decoys were carried by nobody. */
export function readCarried(
  database: Database,
  tenantId: string,
  verificationIds: readonly string[],
): Promise<CarriedCode[]> {
  return database.sql<CarriedCode[]>`
    select d.verification_id, d.provider, d.provider_message_id
    from messages m join message_sends d on d.tenant_id = m.tenant_id and d.message_id = m.id
    where m.tenant_id = ${tenantId} and m.verification_id = any(${verificationIds as string[]}::uuid[])
      and d.state in ('sent', 'delivered') and d.provider_message_id is not null
    order by d.sent_at desc, d.place desc`;
}
