import type { Database } from '../db/database.ts';

/** What a provider tells of one message it took. */
export interface SendReport {
  provider: string;
  providerMessageId: string;
  tenantId: string | null;
  state: 'sent' | 'delivered' | 'failed';
  error: string | null;
}

/** What one report found. */
export interface ReportedSend {
  tenant_id: string;
  channel: string;
  verification_id: string | null;
  /** False: it told nothing new, or came after the end. */
  changed: boolean;
  /** The message is due by its next channel now. */
  moved_on: boolean;
}

/**
 * Writes what a provider tells, in one statement. A send that has ended stays as it ended:
 * a report that is repeated or overtaken changes nothing. A failed one makes it the next channel's turn, unless the
 * message has moved on already; whether its code still lives is looked at when it is claimed.
 * @returns undefined when this database does not know the message
 */
export async function applyReport(database: Database, report: SendReport): Promise<ReportedSend | undefined> {
  const { sql } = database;
  const now = database.now();
  const { provider, providerMessageId, tenantId, state, error } = report;
  const [row] = await sql<ReportedSend[]>`
    with known as materialized (
      select tenant_id, message_id, place, channel, verification_id from message_sends
      where provider = ${provider} and provider_message_id = ${providerMessageId}
        and (${tenantId}::uuid is null or tenant_id = ${tenantId}::uuid)
      limit 1
    ),
    -- Messages are locked before their sends, as settling does.
    locked as materialized (
      select m.tenant_id, m.id from messages m
      where (m.tenant_id, m.id) in (select tenant_id, message_id from known) order by m.tenant_id, m.id for update
    ),
    changed as (
      update message_sends d set state = ${state}, error = coalesce(${error}::text, d.error), reported_at = ${now}
      from known k
      where d.tenant_id = k.tenant_id and d.message_id = k.message_id and d.place = k.place
        and (select count(*) from locked) >= 0 and d.state = 'sent' and ${state}::text in ('delivered', 'failed')
      returning d.tenant_id, d.message_id, d.place, d.state, d.error
    ),
    moved as (
      update messages m set
        delivered_at = case when c.state = 'delivered' then ${now} end,
        state = case when c.state = 'delivered' then case m.state when 'sending' then 'sending' else 'delivered' end
          when m.payload_sealed is null or m.channel = m.plan[cardinality(m.plan)] then 'failed' else 'queued' end,
        channel = case when c.state = 'delivered' or m.payload_sealed is null then m.channel
          else coalesce(m.plan[array_position(m.plan, m.channel) + 1], m.channel) end,
        payload_sealed = case when m.state = 'sending' or c.state = 'failed' and m.channel <> m.plan[cardinality(m.plan)]
          then m.payload_sealed end,
        attempts = case when c.state = 'failed' then 0 else m.attempts end,
        tried = case when c.state = 'failed' then '{}' else m.tried end,
        toll_at = case when c.state = 'delivered' then m.toll_at end,
        error = case when c.state = 'failed' then c.error end,
        next_channel_at = null, due_at = case m.state when 'sending' then m.due_at else ${now} end, updated_at = ${now}
      from changed c
      where m.tenant_id = c.tenant_id and m.id = c.message_id
        and (c.state = 'delivered' and m.state in ('sent', 'queued', 'sending', 'failed')
          or c.state = 'failed' and m.state = 'sent' and m.sends = c.place)
      returning m.tenant_id, m.id, m.state
    )
    select k.tenant_id, k.channel, k.verification_id, exists (select from changed) as changed,
      exists (select from moved where state = 'queued') as moved_on
    from known k`;
  return row;
}
