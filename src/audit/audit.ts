import type { Fragment, Sql } from '../db/database.ts';

export { type Anchor, type AuditTrail, type Break, createAuditTrail } from './trail.ts';

export { type EventQuery, readEvents, type ReadEvent, readOwnSubjects } from './read-store.ts';
/** Who asked, as far as the request tells. */
export interface Caller {
  /** The client's address, taken from configured proxies only. */
  ip: string;
  /** What budgets count by: the IPv4 address, or the IPv6 /64. */
  bucket: string;
  userAgent: string | undefined;
  /** The device whose token the request carries, if any. */
  deviceId?: string | undefined;
}

export interface AuditRecord {
  tenantId: string;
  /** SQL for the key: one UUID for one event, or an expression that makes one for each row. */
  id: Fragment;
  /** SQL for the action, named subject.happening (`code.wrong`, `session.ended`): a parameter, or a choice made by an earlier part of the statement. */
  action: Fragment;
  /** SQL for who did it: `user:<id>`, `api_key:<id>`, `anonymous`, `system`. */
  actor: Fragment;
  /** SQL for what it was done to. */
  subject: Fragment;
  /** Who asked, as far as it is kept; undefined: nobody did. */
  caller: { ip: string | null; userAgent?: string | null | undefined } | undefined;
  now: Fragment;
  /** SQL of type jsonb. */
  data?: Fragment;
  /** SQL after `from`: the rows of the statement that each give one event. */
  from: Fragment;
}

/**
 * The part of a statement that records events: an INSERT to be placed in a `with` list, so that the event is
 * written by the same statement, hence the same transaction, as what it tells of.
 */
export function recordEvent(sql: Sql, record: AuditRecord): Fragment {
  return sql`
    insert into audit_events (tenant_id, id, action, actor, subject, ip, user_agent, at, data)
    select ${record.tenantId}::uuid, ${record.id}, ${record.action}, ${record.actor}, ${record.subject},
      ${record.caller?.ip ?? null}::text, ${record.caller?.userAgent ?? null}::text, ${record.now},
      ${record.data ?? sql`'{}'::jsonb`}
    from ${record.from}`;
}

/**
 * The same for each row of `from`, a query of `given g`, whose columns tell of the caller and of the tenant.
 * @param id names the column of `given` with the event's key
 */
export function recordEach(
  sql: Sql,
  record: Omit<AuditRecord, 'tenantId' | 'caller' | 'id'> & { id: Fragment },
): Fragment {
  return sql`
    insert into audit_events (tenant_id, id, action, actor, subject, ip, user_agent, at, data)
    select g.tenant_id, ${record.id}, ${record.action}, ${record.actor}, ${record.subject}, g.ip, g.user_agent,
      ${record.now}, ${record.data ?? sql`'{}'::jsonb`}
    from ${record.from}`;
}
