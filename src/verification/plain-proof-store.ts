import type { Fragment, Sql } from '../db/database.ts';

/** A code and its handle as a row of `given`, beside `tenant_id`: JSON, bytes in hexadecimal. */
export interface GivenProof {
  /** The verification that the handle names. */
  id: string;
  handle_hash: string;
  code_hash: string;
}

/** The columns of GivenProof, for the list of a json_to_recordset. */
export const givenProofColumns = (sql: Sql): Fragment => sql`id uuid, handle_hash text, code_hash text`;

/**
 * The first entries of a `with` list after `given`: `target`, the verifications that sign in by phone or e-mail, one for
 * an address, and `locked`, those of them that live and whose address bears no wrong code. Nothing is compared yet.
 *
 * As in proofFragment rows are read through their locks, and nothing is decided before both are held. What somebody else
 * holds is passed over: it goes alone, and nobody here waits for it, so the order of the locks does not matter.
 */
export function lockPlainFragment(sql: Sql, now: Fragment): Fragment {
  return sql`
    target as materialized (
      select distinct on (g.tenant_id, v.kind, v.value) g.tenant_id, g.id, g.code_hash, v.kind, v.value
      from given g, lateral (
        select v.kind, v.value from verifications v
        where v.tenant_id = g.tenant_id and v.id = g.id and v.handle_hash = decode(g.handle_hash, 'hex')
          and v.purpose = 'sign_in' and v.kind <> 'telegram' and v.test_entry is null
          and v.pending_registration_id is null
        offset 0) v
      order by g.tenant_id, v.kind, v.value
    ),
    budget as materialized (
      select t.id, b.sent_at from target t, lateral (
        select b.sent_at from address_budgets b
        where b.tenant_id = t.tenant_id and b.kind = t.kind and b.value = t.value
          and b.failed_at = '{}' and b.failures_in_a_row = 0 and b.strangers_in_a_row = 0
          and b.contested_at is null
        for update skip locked) b
    ),
    locked as materialized (
      select t.tenant_id, t.id, t.kind, t.value, v.channel, v.as_entered, v.locale, v.user_id, v.attempts,
        v.max_attempts, v.closes_address, budget.sent_at, v.code_hash = decode(t.code_hash, 'hex') as matches
      from target t join budget on budget.id = t.id, lateral (
        select * from verifications v
        where v.tenant_id = t.tenant_id and v.id = t.id and v.consumed_at is null and v.expires_at > ${now}
          and v.attempts < v.max_attempts
        for update skip locked) v
    )`;
}

/**
 * The entries after those: what is wrong is counted as that, and what is right is counted and consumed where it is
 * `plain` (principle 1). `judged` has the row as it was, with state `proved` or `wrong`. Only of a right code it matters
 * what the account is like: what a wrong one costs tells nothing of it (S22).
 * @param plain SQL: a query of the ids in `locked` whose sign-in belongs to this statement
 */
export function judgePlainFragment(sql: Sql, plain: Fragment, now: Fragment): Fragment {
  return sql`
    judged as materialized (
      select l.*, case when l.matches then 'proved' else 'wrong' end as state
      from locked l where not l.matches or l.id in (${plain}) order by l.tenant_id, l.kind, l.value
    ),
    counted as (
      update verifications v set attempts = v.attempts + 1, holder_tries = v.holder_tries + 1,
        consumed_at = case when j.state = 'proved' then ${now} end,
        code_sealed = case when j.state = 'proved' then null else v.code_sealed end
      from judged j
      where v.tenant_id = j.tenant_id and v.id = j.id and v.tenant_id = any(array(select tenant_id from judged))
        and v.id = any(array(select id from judged))
    ),
    superseded as (
      delete from verifications v
      where v.tenant_id = any(array(select tenant_id from judged)) and v.id = any(array(
        select other.id from judged j, lateral (
          select o.id from verifications o
          where o.tenant_id = j.tenant_id and o.kind = j.kind and o.value = j.value and o.id <> j.id
            and o.purpose in ('sign_in', 'register') and o.consumed_at is null
          offset 0) other
        where j.state = 'proved')) and v.consumed_at is null
    ),
    remembered as (
      update address_budgets b set failed_at = b.failed_at || ${now},
        failures_in_a_row = b.failures_in_a_row + j.closes_address::int,
        strangers_in_a_row = b.strangers_in_a_row + (not j.closes_address)::int
      from judged j
      where j.state = 'wrong' and b.tenant_id = j.tenant_id and b.kind = j.kind and b.value = j.value
        and b.tenant_id = any(array(select tenant_id from judged)) and b.kind = any(array(select kind from judged))
        and b.value = any(array(select value from judged))
    )`;
}
