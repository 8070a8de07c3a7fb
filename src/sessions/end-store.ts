import type { Fragment, Sql } from '../db/database.ts';
import { FEED_CHANNEL } from '../db/feed.ts';
import { consequencesFragment, SESSIONS_TOPIC } from './store.ts';

interface EndMine {
  tenantId: string;
  userId: string;
  ip: string | null;
  now: Fragment;
}

/** Ends sessions of one account within a transaction, the account's count and the notice to all servers included. */
async function endMine(sql: Sql, query: EndMine & { which: Fragment; reason: string }): Promise<string[]> {
  const { tenantId, userId, now } = query;
  const rows = await sql<{ id: string }[]>`
    with chosen as materialized (
      select s.id from sessions s
      where s.tenant_id = ${tenantId}::uuid and s.user_id = ${userId}::uuid and s.revoked_at is null
        and ${query.which}
      order by s.id for update
    ),
    ended as (
      update sessions s set revoked_at = ${now}, revoke_reason = ${query.reason}
      from chosen where s.tenant_id = ${tenantId}::uuid and s.id = chosen.id
      returning s.id, s.user_id
    ),
    ${consequencesFragment(sql, tenantId, now)},
    audited as (
      insert into audit_events (tenant_id, id, action, actor, subject, ip, at, data)
      select ${tenantId}::uuid, gen_random_uuid(), 'session.ended', ${`user:${userId}`}, 'session:' || id,
        ${query.ip}, ${now}, jsonb_build_object('reason', ${query.reason}::text, 'user_id', user_id) from ended
    )
    select ended.id, (select count(*) from told) as told from ended`;
  return rows.map((row) => row.id);
}

/** Ends every session of an account but one, in the transaction of a change; gives their ids, for `told`. */
export async function endOtherSessions(
  sql: Sql,
  query: EndMine & { sessionId: string; reason: string },
): Promise<string[]> {
  return endMine(sql, { ...query, which: sql`s.id <> ${query.sessionId}::uuid` });
}

/**
 * Ends what the owner says was not them: the session where it happened and every one opened since, or simply all.
 * @param query.since SQL of type timestamptz
 */
export async function endDisputedSessions(
  sql: Sql,
  query: EndMine & { sessionId: string | null; everything: boolean; since: Fragment },
): Promise<{ ids: string[]; passwordUsed: boolean }> {
  const ids = await endMine(sql, {
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
  return sql`
    ended_of_former as (
      update sessions s set revoked_at = ${now}, revoke_reason = 'number_taken_over'
      from former where s.tenant_id = ${tenantId}::uuid and s.user_id = former.id and s.revoked_at is null
      returning s.id, s.user_id
    ),
    former_signed_out as (
      update users u set live_sessions = 0, is_active = false, updated_at = ${now}
      from former where u.tenant_id = ${tenantId}::uuid and u.id = former.id
    ),
    told_of_former as materialized (
      select pg_notify(${FEED_CHANNEL}, ${`${SESSIONS_TOPIC}:`} || string_agg(id::text, ','))
      from (select id, (row_number() over () - 1) / 150 as notice from ended_of_former) numbered
      group by notice
    ),
    ended_of_former_recorded as (
      insert into audit_events (tenant_id, id, action, actor, subject, ip, at, data)
      select ${tenantId}::uuid, gen_random_uuid(), 'session.ended', ${query.actor}, 'session:' || id, ${query.ip},
        ${now}, jsonb_build_object('reason', 'number_taken_over', 'user_id', user_id) from ended_of_former
    )`;
}
