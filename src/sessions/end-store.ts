import { recordEvent } from '../audit/audit.ts';
import { type Database, type Fragment, type Sql, withConflictRetry } from '../db/database.ts';
import { FEED_CHANNEL, MOST_IDS_A_NOTICE } from '../db/feed.ts';

/** The topic by which servers learn that sessions ended: session ids, comma-separated. */
export const SESSIONS_TOPIC = 'sessions';

/** Whose word ended sessions, and why: what the audit keeps of each end. */
interface EndReason {
  tenantId: string;
  reason: string;
  actor: string;
  ip: string | null;
  userAgent?: string | null;
  now: Fragment;
}

/** `select …` for a `with` list: tells every server, when the transaction commits, of the ids in `ended`. It must be read. */
function tellServers(sql: Sql, ended: Fragment): Fragment {
  return sql`
    select pg_notify(${FEED_CHANNEL}, ${`${SESSIONS_TOPIC}:`} || string_agg(id::text, ','))
    from (select id, (row_number() over () - 1) / ${MOST_IDS_A_NOTICE} as notice from ${ended}) numbered
    group by notice`;
}

/** `insert …` for a `with` list: one event for each row of `ended` (id, user_id). */
function recordEnds(
  sql: Sql,
  end: Omit<EndReason, 'actor'> & { actor: Fragment },
  ended: Fragment,
): Fragment {
  return recordEvent(sql, {
    tenantId: end.tenantId,
    id: sql`gen_random_uuid()`,
    action: sql`'session.ended'`,
    actor: end.actor,
    subject: sql`'session:' || id`,
    caller: { ip: end.ip, userAgent: end.userAgent },
    now: end.now,
    data: sql`jsonb_build_object('reason', ${end.reason}::text, 'user_id', user_id)`,
    from: ended,
  });
}

/**
 * The entries of a `with` list after `ended` (id, user_id: sessions whose revoked_at was just set) that make an end
 * real: the account counts its live sessions down, and every server is told when the transaction commits.
 */
export function consequencesFragment(sql: Sql, tenantId: string, now: Fragment): Fragment {
  return sql`
    counted_down as (
      update users u set live_sessions = greatest(u.live_sessions - gone.count, 0),
        is_active = u.live_sessions - gone.count > 0, updated_at = ${now}
      from (select user_id, count(*)::int as count from ended group by user_id) gone
      where u.tenant_id = ${tenantId}::uuid and u.id = gone.user_id
      returning u.id, u.is_active
    ),
    told as materialized (${tellServers(sql, sql`ended`)})`;
}

export interface EndQuery extends EndReason {
  /** SQL condition over `s`, the sessions to end. */
  which: Fragment;
  /** At most so many, where all would be too many for one statement. */
  limit?: number;
}

export interface EndedRow {
  id: string;
  user_id: string;
  user_is_active: boolean;
}

/** Ends sessions, each once: of two at the same moment, one ends it and the other finds nothing left to end. */
export function endSessions(database: Database, query: EndQuery): Promise<EndedRow[]> {
  return withConflictRetry(() => endSessionsIn(database.sql, query));
}

/** The same within a transaction that holds the account's row. */
export async function endSessionsIn(sql: Sql, query: EndQuery): Promise<EndedRow[]> {
  const { tenantId, now } = query;
  return sql<EndedRow[]>`
    with chosen as materialized (
      select s.id from sessions s where s.tenant_id = ${tenantId}::uuid and s.revoked_at is null and ${query.which}
      order by s.id limit ${query.limit ?? null} for update
    ),
    ended as (
      update sessions s set revoked_at = ${now}, revoke_reason = ${query.reason}
      from chosen where s.tenant_id = ${tenantId}::uuid and s.id = chosen.id and s.revoked_at is null
      returning s.id, s.user_id
    ),
    ${consequencesFragment(sql, tenantId, now)},
    audited as (${recordEnds(sql, { ...query, actor: sql`${query.actor}` }, sql`ended`)})
    select ended.id, ended.user_id, coalesce(counted_down.is_active, false) as user_is_active,
      (select count(*) from told) as told
    from ended left join counted_down on counted_down.id = ended.user_id`;
}

export type EndAll = EndReason & { userId: string };

/**
 * Ends every session of a user within a transaction that sets the account's own count itself. Gives the ids.
 * The account's row must be locked by then: a session that was opened before is seen, a later one waits.
 */
export async function endAllSessions(sql: Sql, query: EndAll): Promise<string[]> {
  const { tenantId, now } = query;
  const rows = await sql<{ id: string }[]>`
    with ended as (
      update sessions s set revoked_at = ${now}, revoke_reason = ${query.reason}
      where s.tenant_id = ${tenantId}::uuid and s.user_id = ${query.userId}::uuid and s.revoked_at is null
      returning s.id, s.user_id
    ),
    told as materialized (${tellServers(sql, sql`ended`)}),
    audited as (${recordEnds(sql, { ...query, actor: sql`${query.actor}` }, sql`ended`)})
    select ended.id, (select count(*) from told) as told from ended`;
  return rows.map((row) => row.id);
}

interface EndOwn {
  tenantId: string;
  userId: string;
  ip: string | null;
  now: Fragment;
}

/** Ends sessions of one account on its owner's word, within a transaction that holds the account's row. */
async function endOwn(sql: Sql, query: EndOwn & { which: Fragment; reason: string }): Promise<string[]> {
  const { tenantId, userId, reason, ip, now } = query;
  const which = sql`s.user_id = ${userId}::uuid and ${query.which}`;
  const ended = await endSessionsIn(sql, { tenantId, which, reason, actor: `user:${userId}`, ip, now });
  return ended.map((row) => row.id);
}

/** Ends every session of an account but one, in the transaction of a change; gives their ids, for `told`. */
export async function endOtherSessions(
  sql: Sql,
  query: EndOwn & { sessionId: string; reason: string },
): Promise<string[]> {
  return endOwn(sql, { ...query, which: sql`s.id <> ${query.sessionId}::uuid` });
}

/**
 * Ends what the owner says was not them: the session where it happened and every one opened since, or simply all.
 * @param query.since SQL of type timestamptz
 */
export async function endDisputedSessions(
  sql: Sql,
  query: EndOwn & { sessionId: string | null; everything: boolean; since: Fragment },
): Promise<{ ids: string[]; passwordUsed: boolean }> {
  const ids = await endOwn(sql, {
    ...query,
    reason: 'disputed',
    which: sql`(${query.everything}::boolean or s.id = ${query.sessionId}::uuid or s.created_at >= ${query.since})`,
  });
  // Also where whoever signed in has signed out since.
  const [disputed] = await sql<{ password_used: boolean }[]>`
    select 'pwd' = any(amr) or jsonb_exists(proofs, 'password') as password_used from sessions
    where tenant_id = ${query.tenantId}::uuid and user_id = ${query.userId}::uuid and id = ${query.sessionId}::uuid`;
  return { ids, passwordUsed: disputed?.password_used ?? false };
}

/**
 * Entries of a `with` list after `former` (id): the account that a number was taken from is signed out everywhere, in
 * the statement that takes it. Gives `ended_of_former` (id) and `told_of_former`, which must be read.
 */
export function endFormerFragment(
  sql: Sql,
  query: { tenantId: string; actor: Fragment; ip: string | null; now: Fragment },
): Fragment {
  const { tenantId, now } = query;
  const reason = 'number_taken_over';
  return sql`
    ended_of_former as (
      update sessions s set revoked_at = ${now}, revoke_reason = ${reason}
      from former where s.tenant_id = ${tenantId}::uuid and s.user_id = former.id and s.revoked_at is null
      returning s.id, s.user_id
    ),
    former_signed_out as (
      update users u set live_sessions = 0, is_active = false, updated_at = ${now}
      from former where u.tenant_id = ${tenantId}::uuid and u.id = former.id
    ),
    told_of_former as materialized (${tellServers(sql, sql`ended_of_former`)}),
    ended_of_former_recorded as (${recordEnds(sql, { ...query, reason }, sql`ended_of_former`)})`;
}
