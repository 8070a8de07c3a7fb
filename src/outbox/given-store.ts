import type { Fragment, Sql } from '../db/database.ts';

/** A message as a row of `given`, beside `tenant_id`: JSON, bytes in hexadecimal. */
export interface GivenMessage {
  message_id: string;
  message_verification_id: string | null;
  channel: string;
  /** JSON: every channel it may go by, in order. */
  plan: string;
  template: string;
  locale: string;
  /** Null for a decoy: written, but over already and without content (S22). */
  payload_sealed: string | null;
  /** Tolls taken for it, in millionths; null: none. */
  toll_micros: number | null;
  lives_seconds: number;
}

/** The columns of GivenMessage, for the list of a json_to_recordset. */
export const givenMessageColumns = (sql: Sql): Fragment => sql`
  message_id uuid, message_verification_id uuid, channel text, plan text, template text, locale text,
  payload_sealed text, toll_micros bigint, lives_seconds float8`;

/**
 * As queueFragment, a message for each row of `from`, a query of `given g`: all due at once, and born leased to the
 * server that writes them.
 */
export function queueEachFragment(
  sql: Sql,
  messages: { now: Fragment; leasedBy: string; leaseSeconds: number; from: Fragment },
): Fragment {
  const { now } = messages;
  const isSent = sql`g.payload_sealed is not null`;
  return sql`
    insert into messages (tenant_id, id, verification_id, channel, plan, template, locale, payload_sealed,
      state, attempts, due_at, expires_at, lease_until, leased_by, created_at, updated_at, toll_at, toll_micros)
    select g.tenant_id, g.message_id, g.message_verification_id, g.channel,
      array(select jsonb_array_elements_text(g.plan::jsonb)), g.template, g.locale, decode(g.payload_sealed, 'hex'),
      case when ${isSent} then 'sending' else 'abandoned' end, (${isSent})::int, ${now},
      ${now} + make_interval(secs => g.lives_seconds),
      case when ${isSent} then ${now} + make_interval(secs => ${messages.leaseSeconds}) end,
      case when ${isSent} then ${messages.leasedBy}::uuid end, ${now}, ${now},
      case when g.toll_micros is not null then ${now} end, g.toll_micros
    from ${messages.from}`;
}
