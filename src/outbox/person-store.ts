import type { Database, Fragment, Sql } from '../db/database.ts';

/** A message without what it said, and how it ended. */
export interface SentRow {
  id: string;
  template: string;
  channel: string;
  locale: string;
  state: string;
  provider: string | null;
  error: string | null;
  sends: number;
  created_at: Date;
  updated_at: Date;
  delivered_at: Date | null;
}

/**
 * Messages of these verifications, the newest first; never what they said.
 * @param of SQL: a query of verification ids
 */
export function readSentTo(
  database: Database,
  query: { tenantId: string; of: Fragment; before?: string | undefined; limit: number },
): Promise<SentRow[]> {
  const { sql } = database;
  return sql<SentRow[]>`
    select m.id, m.template, m.channel, m.locale, m.state, m.provider, m.error, m.sends, m.created_at, m.updated_at,
      m.delivered_at
    from messages m
    where m.tenant_id = ${query.tenantId}::uuid and m.verification_id = any(array(${query.of}))
      and ${query.before === undefined ? sql`true` : sql`m.id < ${query.before}::uuid`}
    order by m.id desc limit ${query.limit}`;
}

/** Removes the messages of these verifications with what providers were handed; what waits is not sent any more. */
export async function eraseMessages(sql: Sql, tenantId: string, of: Fragment): Promise<void> {
  await sql`
    with gone as (
      delete from messages m where m.tenant_id = ${tenantId}::uuid and m.verification_id = any(array(${of}))
      returning m.id
    )
    delete from message_sends d using gone where d.tenant_id = ${tenantId}::uuid and d.message_id = gone.id`;
}
