import type { Database, Sql } from '../db/database.ts';

/** An event as administrators read it. */
export interface ReadEvent {
  id: string;
  position: string;
  action: string;
  actor: string;
  subject: string | null;
  ip: string | null;
  user_agent: string | null;
  at: Date;
  data: Record<string, unknown>;
  erased_by: string | null;
}

export interface EventQuery {
  tenantId: string;
  /** All of what is given must fit. */
  actor?: string | undefined;
  subject?: string | undefined;
  /** Done by this person, or to one of these: addresses and the account itself. */
  about?: { actor: string; subjects: readonly string[] } | undefined;
  action?: string | undefined;
  /** Only events before this position. */
  before?: string | undefined;
  limit: number;
}

/**
 * Events of the chain, the newest first. What happened in the last seconds has no place in the chain yet and comes once
 * it has one.
 */
export function readEvents(database: Database, query: EventQuery): Promise<ReadEvent[]> {
  const { sql } = database;
  const { actor, subject, about, action, before } = query;
  const whose = about
    ? sql`(actor = ${about.actor} or subject = any(${about.subjects as string[]}::text[]))`
    : sql`true`;
  return sql<ReadEvent[]>`
    select id, position::text as position, action, actor, subject, ip, user_agent, at, data, erased_by
    from audit_events
    where tenant_id = ${query.tenantId}::uuid and position is not null and ${whose}
      and ${actor === undefined ? sql`true` : sql`actor = ${actor}`}
      and ${subject === undefined ? sql`true` : sql`subject = ${subject}`}
      and ${action === undefined ? sql`true` : sql`action = ${action}`}
      and ${before === undefined ? sql`true` : sql`position < ${before}::bigint`}
    order by audit_events.position desc limit ${query.limit}`;
}

/** What somebody did it to, as far as it is theirs alone: sessions, devices and chats that rows no longer tell of. */
export async function readOwnSubjects(sql: Sql, tenantId: string, actor: string): Promise<string[]> {
  const rows = await sql<{ subject: string }[]>`
    select distinct subject from audit_events where tenant_id = ${tenantId}::uuid and actor = ${actor}
      and (subject like 'session:%' or subject like 'device:%' or subject like 'telegram_chat:%')`;
  return rows.map((row) => row.subject);
}
