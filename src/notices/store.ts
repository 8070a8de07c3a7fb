import type { Database, Fragment, Sql } from '../db/database.ts';
import { type Lockout, NOTICE_LIFE_SECONDS, type NoticeKind, type Recipient } from './policy.ts';

/** An address as a notice remembers it, to be told or given back. */
export interface NotedIdentity extends Recipient {
  id: string;
  /** Of one that went: was it ever proved? Left out: it was. */
  is_verified?: boolean;
}

/** What a notice tells beside its kind. */
export interface NoticeDetails {
  device?: string;
  place?: string;
  added?: NotedIdentity;
  removed?: NotedIdentity;
}

export interface NoticeRecord {
  tenantId: string;
  id: string;
  kind: NoticeKind;
  /** SQL of type uuid: whose account. */
  userId: Fragment;
  /** SQL of type uuid: the session where it happened, or null. */
  sessionId: Fragment;
  /** SQL of type text: kind and value of the address it was done by, or null. */
  used?: { kind: Fragment; value: Fragment };
  /** SQL of type jsonb: NoticeDetails. */
  details: Fragment;
  now: Fragment;
  /** SQL after `from`: one row where it happened. */
  from: Fragment;
}

/** `insert …` for the `with` list of the statement that it tells of: the notice exists exactly if that happened. */
export function tellFragment(sql: Sql, notice: NoticeRecord): Fragment {
  const { used, now } = notice;
  return sql`
    insert into notices (tenant_id, id, user_id, kind, session_id, used_kind, used_value, details, created_at, expires_at)
    select ${notice.tenantId}::uuid, ${notice.id}::uuid, ${notice.userId}, ${notice.kind}, ${notice.sessionId},
      ${used?.kind ?? sql`null::text`}, ${used?.value ?? sql`null::text`}, ${notice.details}, ${now},
      ${now} + make_interval(secs => ${NOTICE_LIFE_SECONDS})
    from ${notice.from}
    returning id`;
}

/**
 * Tells the owner of an address that it is locked, once a day; nothing where it is nobody's. Its id is made of the
 * account and the day: of many at once one is written.
 */
export async function tellLockout(
  database: Database,
  notice: {
    tenantId: string;
    kind: Lockout;
    address: { kind: string; value: string };
    details: NoticeDetails;
  },
): Promise<boolean> {
  const { sql } = database;
  const now = database.now();
  const { kind, address } = notice;
  const rows = await sql`
    insert into notices (tenant_id, id, user_id, kind, used_kind, used_value, details, created_at, expires_at)
    select i.tenant_id, md5(concat_ws(':', ${kind}::text, i.user_id, floor(extract(epoch from ${now}) / 86400)))::uuid,
      i.user_id, ${kind}, i.kind, i.value, ${JSON.stringify(notice.details)}::text::jsonb, ${now},
      ${now} + make_interval(secs => ${NOTICE_LIFE_SECONDS})
    from identities i
    where i.tenant_id = ${notice.tenantId}::uuid and i.kind = ${address.kind} and i.value = ${address.value}
      and i.verified_at is not null
      and not exists (select from notices n where n.tenant_id = i.tenant_id and n.user_id = i.user_id
        and n.kind = ${kind} and n.created_at > ${now} - interval '1 day')
    on conflict (tenant_id, id) do nothing
    returning id`;
  return rows.length > 0;
}

export interface NoticeRow {
  tenant_id: string;
  id: string;
  user_id: string;
  kind: NoticeKind;
  session_id: string | null;
  used_kind: Recipient['kind'] | null;
  used_value: string | null;
  details: NoticeDetails;
  created_at: Date;
  expires_in: number;
}

const columns = (sql: Sql, now: Fragment): Fragment => sql`
  tenant_id, id, user_id, kind, session_id, used_kind, used_value, details, created_at,
  greatest(0, ceil(extract(epoch from expires_at - ${now})))::int as expires_in`;

/** Takes notices that nobody has made messages of yet. SKIP LOCKED: servers share them without waiting. */
export function claimUntold(sql: Sql, now: Fragment, limit: number): Promise<NoticeRow[]> {
  return sql<NoticeRow[]>`
    with untold as (
      select tenant_id, id from notices where told_at is null order by created_at limit ${limit}
      for update skip locked
    )
    update notices n set told_at = ${now} from untold
    where n.tenant_id = untold.tenant_id and n.id = untold.id
    returning ${prefixed(sql, now)}`;
}

const prefixed = (sql: Sql, now: Fragment): Fragment => sql`
  n.tenant_id, n.id, n.user_id, n.kind, n.session_id, n.used_kind, n.used_value, n.details, n.created_at,
  greatest(0, ceil(extract(epoch from n.expires_at - ${now})))::int as expires_in`;

/** A notice whose link may still be used. */
export async function readDisputable(
  database: Database,
  tenantId: string,
  id: string,
): Promise<NoticeRow | undefined> {
  const { sql } = database;
  const now = database.now();
  const [row] = await sql<NoticeRow[]>`
    select ${columns(sql, now)} from notices
    where tenant_id = ${tenantId} and id = ${id} and disputed_at is null and expires_at > ${now}`;
  return row;
}

/** Uses the link: once, in time. Of two at the same moment one gets the notice. */
export async function dispute(
  sql: Sql,
  query: { tenantId: string; id: string; now: Fragment },
): Promise<NoticeRow | undefined> {
  const { now } = query;
  const [row] = await sql<NoticeRow[]>`
    update notices n set disputed_at = ${now}
    where n.tenant_id = ${query.tenantId}::uuid and n.id = ${query.id}::uuid and n.disputed_at is null
      and n.expires_at > ${now}
    returning ${prefixed(sql, now)}`;
  return row;
}

/**
 * The changes of addresses that these sessions made, newest first, as their owner's word against all of them: whoever
 * has the links finds them used.
 */
export async function disputeChanges(
  sql: Sql,
  query: { tenantId: string; userId: string; sessionIds: readonly string[]; now: Fragment },
): Promise<NoticeRow[]> {
  const { now } = query;
  const rows = await sql<NoticeRow[]>`
    update notices n set disputed_at = ${now}
    where n.tenant_id = ${query.tenantId}::uuid and n.user_id = ${query.userId}::uuid and n.disputed_at is null
      and n.kind in ('identity_added', 'identity_removed', 'identity_replaced')
      and n.session_id = any(${query.sessionIds as string[]}::uuid[])
    returning ${prefixed(sql, now)}`;
  return rows.toSorted((left, right) => right.created_at.getTime() - left.created_at.getTime());
}

/** Removes notices whose link is over: the addresses they remember go with them. */
export async function sweepNotices(database: Database, batch: number): Promise<number> {
  const result = await database.sql`
    delete from notices where (tenant_id, id) in (
      select tenant_id, id from notices where expires_at <= ${database.now()}
      order by expires_at limit ${batch} for update skip locked)`;
  return result.count;
}
