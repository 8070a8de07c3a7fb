import type { Database, Fragment, Sql } from '../db/database.ts';

export interface QueueMessage {
  tenantId: string;
  id: string;
  verificationId: string | null;
  channel: string;
  template: string;
  locale: string;
  /** Sealed content; the outbox never looks inside. */
  payload: Uint8Array;
  now: Fragment;
  /** SQL: after this moment it must not go out any more. */
  expiresAt: Fragment;
  /** The server that will dispatch it right after the commit; null queues it for any. */
  leasedBy: string | null;
  leaseSeconds: number;
  /** SQL: when it may go out; left out: at once. A message due later is leased to nobody. */
  due?: Fragment;
  /** Written, but over already and without content: the answer to a stranger costs the same work (S22). */
  decoy?: boolean;
  /** SQL after `from`: the message is queued once for each row. */
  from: Fragment;
}

/**
 * `insert …` for a `with` list: the message is written by the statement that causes it. It is born leased to the
 * server that writes it, which sends it from memory after the commit; if that server dies, the lease runs out.
 */
export function queueFragment(sql: Sql, message: QueueMessage): Fragment {
  const { now, leasedBy, decoy = false } = message;
  const due = message.due ?? now;
  const leased = sql`(${leasedBy !== null && !decoy}::boolean and ${due} <= ${now})`;
  return sql`
    insert into messages (tenant_id, id, verification_id, channel, template, locale, payload_sealed, state,
      attempts, due_at, expires_at, lease_until, leased_by, created_at, updated_at)
    select ${message.tenantId}::uuid, ${message.id}::uuid, ${message.verificationId}::uuid, ${message.channel},
      ${message.template}, ${message.locale}, case when not ${decoy}::boolean then ${message.payload as Buffer}::bytea end,
      case when ${decoy}::boolean then 'abandoned' when ${leased} then 'sending' else 'queued' end,
      ${leased}::int, ${due}, ${message.expiresAt},
      case when ${leased} then ${now} + make_interval(secs => ${message.leaseSeconds}) end,
      case when ${leased} then ${leasedBy}::uuid end, ${now}, ${now}
    from ${message.from}`;
}

export interface ClaimedMessage {
  tenant_id: string;
  id: string;
  verification_id: string | null;
  channel: string;
  template: string;
  locale: string;
  payload_sealed: Buffer;
  attempts: number;
  /** Past its time, or its verification is over: to be abandoned, not sent. */
  too_late: boolean;
}

/** Leases what is due, and what a dead server left leased. SKIP LOCKED: servers share the queue without waiting. */
export function claimDue(
  database: Database,
  node: string,
  limit: number,
  leaseSeconds: number,
  exceptChannels: readonly string[],
): Promise<ClaimedMessage[]> {
  const now = database.now();
  return database.sql<ClaimedMessage[]>`
    with due as (
      select tenant_id, id from messages
      where state in ('queued', 'sending') and due_at <= ${now} and (lease_until is null or lease_until <= ${now})
        and channel <> all(${exceptChannels as string[]}::text[])
      order by due_at limit ${limit} for update skip locked
    )
    update messages m set state = 'sending', attempts = m.attempts + 1, leased_by = ${node}::uuid,
      lease_until = ${now} + make_interval(secs => ${leaseSeconds}), updated_at = ${now}
    from due where m.tenant_id = due.tenant_id and m.id = due.id
    returning m.tenant_id, m.id, m.verification_id, m.channel, m.template, m.locale, m.payload_sealed,
      m.attempts, m.expires_at <= ${now} or (m.verification_id is not null and not exists (
        select from verifications v where v.tenant_id = m.tenant_id and v.id = m.verification_id
          and v.consumed_at is null and v.expires_at > ${now})) as too_late`;
}

/** How one message ended, or when it is to be tried again. */
export interface Settlement {
  tenantId: string;
  id: string;
  state: 'sent' | 'failed' | 'abandoned' | 'queued';
  provider: string | null;
  providerMessageId: string | null;
  error: string | null;
  /** For `queued`: seconds until the next try. */
  retryInSeconds: number;
}

/** Writes how several messages went, in one statement. Only the server that holds the lease may; final ones are wiped. */
export async function settle(
  database: Database,
  node: string,
  settlements: readonly Settlement[],
): Promise<number> {
  const { sql } = database;
  const now = database.now();
  const column = (pick: (settlement: Settlement) => string | null): (string | null)[] =>
    settlements.map(pick);
  const result = await sql`
    update messages m set state = s.state, provider = s.provider, provider_message_id = s.provider_message_id,
      error = s.error, updated_at = ${now}, lease_until = null, leased_by = null,
      due_at = case when s.state = 'queued' then ${now} + make_interval(secs => s.retry_in) else m.due_at end,
      payload_sealed = case when s.state = 'queued' then m.payload_sealed end
    from unnest(${column((s) => s.tenantId)}::uuid[], ${column((s) => s.id)}::uuid[],
      ${column((s) => s.state)}::text[], ${column((s) => s.provider)}::text[],
      ${column((s) => s.providerMessageId)}::text[], ${column((s) => s.error)}::text[],
      ${settlements.map((s) => s.retryInSeconds)}::float8[])
      as s (tenant_id, id, state, provider, provider_message_id, error, retry_in)
    where m.tenant_id = s.tenant_id and m.id = s.id and m.leased_by = ${node}::uuid and m.state = 'sending'`;
  return result.count;
}

/** Hands back everything this server still holds, untried, so that another may send it at once. */
export async function releaseLeases(database: Database, node: string): Promise<number> {
  const now = database.now();
  const result = await database.sql`
    update messages set state = 'queued', lease_until = null, leased_by = null, due_at = ${now},
      attempts = greatest(attempts - 1, 0), updated_at = ${now}
    where leased_by = ${node}::uuid and state = 'sending'`;
  return result.count;
}

/** Removes messages that ended before the given age. */
export async function sweepMessages(
  database: Database,
  olderThanSeconds: number,
  batch: number,
): Promise<number> {
  const result = await database.sql`
    delete from messages where (tenant_id, id) in (
      select tenant_id, id from messages
      where state not in ('queued', 'sending')
        and created_at < ${database.now()} - make_interval(secs => ${olderThanSeconds})
      limit ${batch} for update skip locked)`;
  return result.count;
}
