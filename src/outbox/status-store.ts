import type { Database } from '../db/database.ts';

/** How the newest message of a verification stands. */
export interface MessageStatus {
  state: 'queued' | 'sending' | 'sent' | 'delivered' | 'failed' | 'abandoned';
  channel: string;
  plan: string[];
  /** Seconds until the next channel's turn; null: none follows, or only after a report. */
  next_channel_in: number | null;
}

export async function readMessageStatus(
  database: Database,
  tenantId: string,
  verificationId: string,
): Promise<MessageStatus | undefined> {
  const now = database.now();
  const [row] = await database.sql<MessageStatus[]>`
    select state, channel, plan, case when next_channel_at < expires_at
      then greatest(0, ceil(extract(epoch from next_channel_at - ${now})))::int end as next_channel_in
    from messages where tenant_id = ${tenantId}::uuid and verification_id = ${verificationId}::uuid
    order by id desc limit 1`;
  return row;
}

/** What providers have taken of a verification's messages, the newest first. */
export async function readHandedOver(
  database: Database,
  tenantId: string,
  verificationId: string,
): Promise<{ provider: string; provider_message_id: string | null }[]> {
  return database.sql<{ provider: string; provider_message_id: string | null }[]>`
    select d.provider, d.provider_message_id
    from messages m join message_sends d on d.tenant_id = m.tenant_id and d.message_id = m.id
    where m.tenant_id = ${tenantId}::uuid and m.verification_id = ${verificationId}::uuid
      and d.state in ('sent', 'delivered')
    order by d.sent_at desc, d.message_id desc, d.place desc limit 20`;
}
