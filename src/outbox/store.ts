import type { Database, Fragment, Sql } from '../db/database.ts';
import { FEED_CHANNEL } from '../db/feed.ts';

/** Told when messages wait that nobody holds. */
export const OUTBOX_TOPIC = 'outbox';

export interface QueueMessage {
  tenantId: string;
  id: string;
  verificationId: string | null;
  channel: string;
  /** Every channel it may go by, in order; the first is `channel`. */
  plan: readonly string[];
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
  /** Its tolls were taken: so much money, in millionths. Left out: they are not, or there are none. */
  tollMicros?: number;
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
    insert into messages (tenant_id, id, verification_id, channel, plan, template, locale, payload_sealed,
      state, attempts, due_at, expires_at, lease_until, leased_by, created_at, updated_at, toll_at, toll_micros)
    select ${message.tenantId}::uuid, ${message.id}::uuid, ${message.verificationId}::uuid, ${message.channel},
      ${message.plan as string[]}::text[], ${message.template}, ${message.locale}, case when not ${decoy}::boolean then ${message.payload as Buffer}::bytea end,
      case when ${decoy}::boolean then 'abandoned' when ${leased} then 'sending' else 'queued' end,
      ${leased}::int, ${due}, ${message.expiresAt},
      case when ${leased} then ${now} + make_interval(secs => ${message.leaseSeconds}) end,
      case when ${leased} then ${leasedBy}::uuid end, ${now}, ${now},
      case when ${message.tollMicros ?? null}::bigint is not null then ${now} end, ${message.tollMicros ?? null}::bigint
    from ${message.from}`;
}

export interface ClaimedMessage {
  tenant_id: string;
  id: string;
  verification_id: string | null;
  channel: string;
  plan: string[];
  tried: string[];
  payload_sealed: Buffer;
  attempts: number;
  sends: number;
  /** Seconds for which sending it still makes sense. */
  expires_in: number;
  /** Tolls taken for its channel that no try has spent: millionths, and how long ago; null: none. */
  toll_micros: number | null;
  toll_seconds_ago: number | null;
  /** Past its time, or its verification is over: to be abandoned, not sent. */
  too_late: boolean;
}

export interface ClaimQuery {
  node: string;
  limit: number;
  leaseSeconds: number;
  /** Channels this server has enough of. */
  full: readonly string[];
  /** Channels nothing can leave by at the moment: only what has another one left, or is over, is taken. */
  shut: readonly string[];
}

/**
 * Leases what is due, what a dead server left leased, and what was sent into silence and has another channel left. SKIP
 * LOCKED: servers share the queue without waiting. What was sent and is over loses its content here.
 */
export function claimDue(database: Database, query: ClaimQuery): Promise<ClaimedMessage[]> {
  const { node, limit, leaseSeconds } = query;
  const { sql } = database;
  const now = database.now();
  const full = query.full as string[];
  const shut = query.shut as string[];
  const over = sql`(m.expires_at <= ${now} or (m.verification_id is not null and not exists (
    select from verifications v where v.tenant_id = m.tenant_id and v.id = m.verification_id
      and v.consumed_at is null and v.expires_at > ${now})))`;
  return sql<ClaimedMessage[]>`
    with due as materialized (
      select tenant_id, id from messages m
      where state in ('queued', 'sending') and due_at <= ${now} and (lease_until is null or lease_until <= ${now})
        and (expires_at <= ${now} or channel <> all(${full}::text[])
          and (channel <> all(${shut}::text[]) or channel <> plan[cardinality(plan)]))
      order by due_at limit ${limit} for update skip locked
    ),
    silent as materialized (
      select tenant_id, id, ${over} as over from messages m
      where next_channel_at <= ${now} and state = 'sent'
        and (expires_at <= ${now} or plan[array_position(plan, channel) + 1] <> all(${full}::text[]))
      order by next_channel_at limit ${limit} for update skip locked
    ),
    ended as (
      update messages m set next_channel_at = null, payload_sealed = null, updated_at = ${now}
      from silent where silent.over and m.tenant_id = silent.tenant_id and m.id = silent.id
    ),
    moved as (
      update messages m set state = 'sending', channel = m.plan[array_position(m.plan, m.channel) + 1],
        next_channel_at = null, attempts = 1, tried = '{}', leased_by = ${node}::uuid, due_at = ${now}, toll_at = null,
        lease_until = ${now} + make_interval(secs => ${leaseSeconds}), updated_at = ${now}
      from silent where not silent.over and m.tenant_id = silent.tenant_id and m.id = silent.id
      returning m.*, false as too_late
    ),
    leased as (
      -- What a dead server held may have left: it pays once more.
      update messages m set state = 'sending', attempts = m.attempts + 1, leased_by = ${node}::uuid,
        toll_at = case when m.state = 'queued' then m.toll_at end,
        lease_until = ${now} + make_interval(secs => ${leaseSeconds}), updated_at = ${now}
      from due where m.tenant_id = due.tenant_id and m.id = due.id
      returning m.*, ${over} as too_late
    )
    select tenant_id, id, verification_id, channel, plan, tried, payload_sealed, attempts, sends, too_late,
      case when toll_at is not null then toll_micros end::float8 as toll_micros,
      extract(epoch from ${now} - toll_at)::float8 as toll_seconds_ago, ceil(extract(epoch from expires_at - ${now}))::int as expires_in
    from (select * from moved union all select * from leased) claimed`;
}

/** How one try of a message went, and what is to become of it. */
export interface Settlement {
  tenantId: string;
  id: string;
  state: 'sent' | 'failed' | 'abandoned' | 'queued';
  /** Whose turn it is from now on. */
  channel: string;
  /** Providers that have failed for that channel. */
  tried: readonly string[];
  /** Tries made by that channel; what was never tried is not counted. */
  attempts: number;
  error: string | null;
  /** For `queued`: seconds until the next try. */
  retryInSeconds: number;
  /** For `sent`: seconds of silence until the next channel's turn, `whenOver` to wait for a report alone; null: none is left. */
  nextChannelIn: number | 'whenOver' | null;
  /** Tolls taken for that channel that no try has spent. */
  toll: { micros: number; secondsAgo: number } | null;
  /** What a provider was handed, or refused. */
  send: SendRecord | null;
}

/** One handing-over to a provider. */
export interface SendRecord {
  channel: string;
  provider: string;
  providerMessageId: string | null;
  state: 'sent' | 'refused';
  error: string | null;
  country: string | null;
  prefix: string | null;
  price: number;
  tookMilliseconds: number;
}

/** A message as it stands after a settlement or a report. */
export interface SettledMessage {
  tenant_id: string;
  id: string;
  verification_id: string | null;
  state: string;
}

/**
 * Writes how several messages went, in one statement. Only the server that holds the lease may; final ones are wiped.
 * One whose earlier send was reported delivered meanwhile is delivered, whatever this try did.
 */
export async function settle(
  database: Database,
  node: string,
  settlements: readonly Settlement[],
): Promise<SettledMessage[]> {
  const { sql } = database;
  const now = database.now();
  const column = (pick: (settlement: Settlement) => string | null): (string | null)[] =>
    settlements.map(pick);
  const ofSend = (pick: (send: SendRecord) => string | null): (string | null)[] =>
    settlements.map(({ send }) => send && pick(send));
  return sql<SettledMessage[]>`
    with given as materialized (
      select * from unnest(${column((s) => s.tenantId)}::uuid[], ${column((s) => s.id)}::uuid[],
        ${column((s) => s.state)}::text[], ${column((s) => s.channel)}::text[],
        ${column((s) => JSON.stringify(s.tried))}::text[], ${settlements.map((s) => s.attempts)}::int[],
        ${column((s) => s.error)}::text[], ${settlements.map((s) => s.retryInSeconds)}::float8[],
        ${settlements.map((s) => (s.nextChannelIn === 'whenOver' ? -1 : s.nextChannelIn))}::float8[],
        ${ofSend((send) => send.channel)}::text[], ${ofSend((send) => send.provider)}::text[],
        ${ofSend((send) => send.providerMessageId)}::text[], ${ofSend((send) => send.state)}::text[],
        ${ofSend((send) => send.error)}::text[], ${ofSend((send) => send.country)}::text[],
        ${ofSend((send) => send.prefix)}::text[], ${settlements.map(({ send }) => send?.price ?? 0)}::numeric[],
        ${settlements.map(({ send }) => send?.tookMilliseconds ?? 0)}::int[],
        ${settlements.map(({ toll }) => toll?.micros ?? null)}::bigint[], ${settlements.map(({ toll }) => toll?.secondsAgo ?? null)}::float8[])
        as g (tenant_id, id, state, channel, tried, attempts, error, retry_in, next_in, send_channel, provider,
          provider_message_id, send_state, send_error, country, prefix, price, took, toll_micros, toll_ago)
    ),
    settled as (
      update messages m set
        state = case when m.delivered_at is null then g.state else 'delivered' end,
        channel = g.channel, tried = array(select jsonb_array_elements_text(g.tried::jsonb)), attempts = g.attempts,
        provider = coalesce(g.provider, m.provider), sends = m.sends + (g.provider is not null)::int,
        provider_message_id = case when g.provider is null then m.provider_message_id else g.provider_message_id end,
        error = g.error, updated_at = ${now}, lease_until = null, leased_by = null,
        toll_micros = g.toll_micros, toll_at = ${now} - make_interval(secs => g.toll_ago),
        due_at = case when g.state = 'queued' then ${now} + make_interval(secs => g.retry_in) else m.due_at end,
        next_channel_at = case when g.state <> 'sent' or g.next_in is null or m.delivered_at is not null then null
          when g.next_in < 0 then m.expires_at
          else least(${now} + make_interval(secs => g.next_in), m.expires_at) end,
        payload_sealed = case when m.delivered_at is null
          and (g.state = 'queued' or g.state = 'sent' and g.next_in is not null) then m.payload_sealed end
      from given g
      where m.tenant_id = g.tenant_id and m.id = g.id and m.leased_by = ${node}::uuid and m.state = 'sending'
      returning m.tenant_id, m.id, m.verification_id, m.state, m.sends
    ),
    sends as (
      insert into message_sends (tenant_id, message_id, place, verification_id, channel, provider,
        provider_message_id, state, error, country, prefix, price, took_milliseconds, sent_at)
      select s.tenant_id, s.id, s.sends, s.verification_id, g.send_channel, g.provider, g.provider_message_id,
        g.send_state, g.send_error, g.country, g.prefix, g.price, g.took, ${now}
      from settled s join given g on g.tenant_id = s.tenant_id and g.id = s.id
      where g.provider is not null
    )
    select tenant_id, id, verification_id, state from settled`;
}

/** Hands back everything this server still holds, untried, and tells the others, who send it at once. */
export async function releaseLeases(database: Database, node: string): Promise<number> {
  const now = database.now();
  const rows = await database.sql`
    with released as (
      update messages set state = 'queued', lease_until = null, leased_by = null, due_at = ${now},
        attempts = greatest(attempts - 1, 0), updated_at = ${now}
      where leased_by = ${node}::uuid and state = 'sending'
      returning id
    )
    select pg_notify(${FEED_CHANNEL}, ${`${OUTBOX_TOPIC}:`} || count(*)) from released having count(*) > 0`;
  return rows.length;
}

/** Removes messages, with the record of their sends, that ended before the given age. */
export async function sweepMessages(
  database: Database,
  olderThanSeconds: number,
  batch: number,
): Promise<number> {
  const result = await database.sql`
    with old as materialized (
      select tenant_id, id from messages
      where state not in ('queued', 'sending')
        and created_at < ${database.now()} - make_interval(secs => ${olderThanSeconds})
      limit ${batch} for update skip locked
    ),
    sends as (
      delete from message_sends d using old where d.tenant_id = old.tenant_id and d.message_id = old.id
    )
    delete from messages m using old where m.tenant_id = old.tenant_id and m.id = old.id`;
  return result.count;
}
