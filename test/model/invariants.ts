import type postgres from 'postgres';

/** Each finds the rows that break one invariant of the agreement; `$1` is the tenant. */
const BROKEN = {
  'I1 an account without the consumed verification that made it': `
    select u.id from users u
      left join verifications v on v.tenant_id = u.tenant_id and v.id = u.verification_id
    where u.tenant_id = $1 and u.verification_id is not null and v.consumed_at is null
      and (v.id is not null or not exists (select from audit_events e where e.tenant_id = u.tenant_id
        and e.action = 'user.created' and e.data ->> 'verification_id' = u.verification_id::text))`,
  'I1 two accounts made by one verification': `
    select verification_id from users where tenant_id = $1 and verification_id is not null
    group by tenant_id, verification_id having count(*) > 1`,
  'I1 an account without an address, or an address proved by nobody': `
    select u.id from users u where u.tenant_id = $1
      and not exists (select from identities i where i.tenant_id = u.tenant_id and i.user_id = u.id
        and i.verified_at is not null)`,
  'I1 a consumed code without an account': `
    select v.id from verifications v where v.tenant_id = $1 and v.consumed_at is not null
      and v.purpose = 'sign_in' and v.reset_at is null and not exists (
        select from identities i join users u on u.tenant_id = i.tenant_id and u.id = i.user_id
        where i.tenant_id = v.tenant_id and i.kind = v.kind and i.value = v.value)`,
  'I2 a verification that opened two sessions': `
    select data ->> 'verification_id' from audit_events
    where tenant_id = $1 and action = 'user.signed_in'
      and data ->> 'verification_id' is not null
    group by tenant_id, data ->> 'verification_id' having count(*) > 1`,
  'I2 a consumed code without what it was for, or not wiped': `
    select v.id from verifications v where v.tenant_id = $1 and v.consumed_at is not null
      and (v.code_sealed is not null or not exists (select from audit_events e where e.tenant_id = v.tenant_id
        and e.data ->> 'verification_id' = v.id::text and e.action = any(case v.purpose
          when 'recover' then array['code.proved'] when 'step_up' then array['session.proved']
          when 'link' then array['identity.linked', 'identity.link_refused'] else array['user.signed_in'] end)))`,
  'I3 more than five comparisons of a code': `
    select id from verifications where tenant_id = $1 and attempts > 5`,
  'I3 more than ten wrong codes of an address in an hour': `
    select b.value from address_budgets b, unnest(b.failed_at) moment where b.tenant_id = $1
      and (select count(*) from unnest(b.failed_at) other
        where other >= moment and other < moment + interval '1 hour') > 10`,
  'I5 is_active or live_sessions that do not tell the truth': `
    select u.id from users u left join lateral (select count(*)::int as live from sessions s
      where s.tenant_id = u.tenant_id and s.user_id = u.id and s.revoked_at is null) counted on true
    where u.tenant_id = $1
      and (u.live_sessions <> counted.live or u.is_active <> (counted.live > 0))`,
  'I6 a waiting code left beside the proof of its address': `
    select v.id from verifications v where v.tenant_id = $1 and v.consumed_at is null
      and v.purpose = 'sign_in' and exists (select from verifications p where p.tenant_id = v.tenant_id
        and p.kind = v.kind and p.value = v.value and p.consumed_at > v.created_at)`,
  'I7 a verification whose code was never queued': `
    select v.id from verifications v left join (select verification_id, count(*) as queued from messages
        where tenant_id = $1 group by verification_id) m on m.verification_id = v.id
    where v.tenant_id = $1 and coalesce(m.queued, 0) <> v.sends`,
  'I7 a final message that keeps its payload, or an open one that lost it': `
    select id from messages where tenant_id = $1
      and (state in ('queued', 'sending')) <> (payload_sealed is not null)`,
  'I8 a session on the device of somebody else': `
    select s.id from sessions s join devices d on d.tenant_id = s.tenant_id and d.id = s.device_id
    where s.tenant_id = $1 and d.user_id <> s.user_id`,
  'I12 an account made without exactly one event': `
    select u.id from users u left join (select subject, count(*) as events from audit_events
        where tenant_id = $1 and action = 'user.created' group by subject) e on e.subject = 'user:' || u.id
    where u.tenant_id = $1 and u.verification_id is not null and e.events is distinct from 1`,
  'I12 a session opened without exactly one event': `
    select s.id from sessions s left join (select subject, count(*) as events from audit_events
        where tenant_id = $1 and action = 'user.signed_in' group by subject) e on e.subject = 'session:' || s.id
    where s.tenant_id = $1 and e.events is distinct from 1`,
  'I12 a session ended without exactly one event, or told ended while it lives': `
    select s.id from sessions s left join (select subject, count(*) as events from audit_events
        where tenant_id = $1 and action in ('session.ended', 'session.refresh_reused') group by subject) e
      on e.subject = 'session:' || s.id
    where s.tenant_id = $1 and coalesce(e.events, 0) <> (s.revoked_at is not null)::int`,
  'I12 a notice of a sign-in that has no event': `
    select n.id from notices n where n.tenant_id = $1 and n.kind = 'new_device' and not exists (
      select from audit_events e where e.tenant_id = n.tenant_id and e.action = 'user.signed_in'
        and e.subject = 'session:' || n.session_id)`,
  'I12 a notice disputed without exactly one event': `
    select n.id from notices n where n.tenant_id = $1 and n.disputed_at is not null
      and (select count(*) from audit_events e where e.tenant_id = n.tenant_id and e.action = 'notice.disputed'
        and e.data ->> 'notice_id' = n.id::text) <> 1`,
  'I12 a message without its event': `
    select sent, told from
      (select count(*) as sent from messages where tenant_id = $1 and verification_id is not null) m,
      (select count(*) as told from audit_events where tenant_id = $1
        and action in ('verification.sent', 'verification.resent')) e
    where sent > told`,
} as const;

function question(ofEveryTenant: boolean): string {
  const parts = Object.entries(BROKEN).map(
    ([name, query]) =>
      `select '${name}' as broken, array(select row::text from (${query}) row limit 3) as rows`,
  );
  const text = `select broken, rows from (${parts.join(' union all ')}) asked where cardinality(rows) > 0`;
  return ofEveryTenant ? text.replaceAll(/([a-z]+\.)?tenant_id = \$1/g, 'true') : text;
}

/** What is broken in a database, a sentence each with up to three of the rows; empty when every invariant holds. */
export async function brokenInvariants(sql: postgres.Sql, tenantId: string | null = null): Promise<string[]> {
  const answers = await sql.unsafe<{ broken: string; rows: string[] }[]>(
    question(tenantId === null),
    tenantId === null ? [] : [tenantId],
    { prepare: true },
  );
  return answers.map((answer) => `${answer.broken}: ${answer.rows.join(' ')}`).sort();
}
