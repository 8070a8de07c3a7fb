import type { Fragment, Sql } from '../db/database.ts';
import { withAgent } from './store.ts';

/** Who signs in, as a row of `given`, beside `tenant_id` and `id`, the verification. */
export interface GivenPerson {
  /** Taken if the proof makes an account. */
  user_id: string;
  identity_id: string;
  /** Whether somebody unknown may get an account. */
  registration_open: boolean;
  first_name: string | null;
  last_name: string | null;
  /** Short hash of the program that signs in. */
  agent: string;
  /** A number whose account lay idle for so many days is judged alone; null: nobody asks. */
  idle_days: number | null;
}

/** The columns of GivenPerson, for the list of a json_to_recordset. */
export const givenPersonColumns = (sql: Sql): Fragment => sql`
  user_id uuid, identity_id uuid, registration_open boolean, first_name text, last_name text, agent text, idle_days int`;

/**
 * The entries after `given` and `locked`, for those of its rows that `matches`: `holder`, the accounts that nothing
 * unusual waits for, their rows locked: open, verified, known to be used with this program, not idle. Then `plain` (id):
 * whose address has such an account, or none and may get one.
 * @param waits SQL of type boolean over `l`, a row of `locked`: does a registration wait for the address?
 */
export function plainFragment(sql: Sql, waits: Fragment, now: Fragment): Fragment {
  return sql`
    known as materialized (
      select l.id, l.kind, i.user_id, i.verified_at, g.tenant_id, g.agent, g.idle_days
      from locked l join given g on g.id = l.id and g.tenant_id = l.tenant_id, lateral (
        select i.user_id, i.verified_at from identities i
        where i.tenant_id = l.tenant_id and i.kind = l.kind and i.value = l.value offset 0) i
      where l.matches
    ),
    holder as materialized (
      select known.id from known, lateral (
        select u.id from users u
        where u.tenant_id = known.tenant_id and u.id = known.user_id and u.is_verified and not u.is_disabled
          and u.test_entry is null and (u.last_login is null or known.agent = any(u.known_agents))
          and not (known.kind = 'phone' and known.idle_days is not null
            and coalesce(u.last_login < ${now} - make_interval(days => known.idle_days), false))
        for no key update skip locked) u
      where known.verified_at is not null
    ),
    plain as materialized (
      select l.id from locked l join given g on g.id = l.id and g.tenant_id = l.tenant_id
      where l.matches and not ${waits} and (l.id in (select id from holder)
        or g.registration_open and l.id not in (select id from known))
    )`;
}

/**
 * As admitFragment, for each row of `judged` that was proved: `admitted`, `account` and `entering`, what the session of
 * each is made of. All are upserts; an account that two proofs of one statement belong to fails the whole statement.
 */
export function admitPlainFragment(sql: Sql, now: Fragment): Fragment {
  return sql`
    admitted as (
      insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
      select j.tenant_id, j.kind, j.value, g.identity_id, g.user_id, j.as_entered, ${now}, ${now}
      from judged j join given g on g.id = j.id and g.tenant_id = j.tenant_id
      where j.state = 'proved'
      on conflict (tenant_id, kind, value) do update
        set verified_at = coalesce(identities.verified_at, excluded.verified_at)
      returning tenant_id, id, user_id, kind, value, verified_at
    ),
    -- Never more than two at a time are joined: by guessing one row of each PostgreSQL would try all combinations.
    proved as materialized (
      select j.id as verification_id, j.kind, j.locale, j.tenant_id, admitted.user_id
      from judged j join admitted on admitted.tenant_id = j.tenant_id and admitted.kind = j.kind
        and admitted.value = j.value
    ),
    account as (
      insert into users as u (tenant_id, id, first_name, last_name, is_active, is_verified, live_sessions,
        verification_id, locale, known_agents, last_login, created_at, updated_at)
      select p.tenant_id, p.user_id, g.first_name, g.last_name, true, true, 1, p.verification_id, p.locale,
        array[g.agent], ${now}, ${now}, ${now}
      from proved p join given g on g.id = p.verification_id and g.tenant_id = p.tenant_id
      on conflict (tenant_id, id) do update set
        first_name = coalesce(excluded.first_name, u.first_name),
        last_name = coalesce(excluded.last_name, u.last_name),
        password_hash = case when u.is_verified then u.password_hash end,
        is_verified = true,
        locale = coalesce(u.locale, excluded.locale),
        known_agents = ${withAgent(sql, sql`excluded.known_agents[1]`)},
        is_active = u.live_sessions + (not u.is_disabled)::int > 0,
        live_sessions = u.live_sessions + (not u.is_disabled)::int,
        last_login = case when u.is_disabled then u.last_login else excluded.last_login end,
        updated_at = excluded.updated_at
      where u.test_entry is null
      returning u.tenant_id, u.id, u.role, u.first_name, u.last_name, u.username, u.custom_fields, u.is_active,
        u.is_verified, u.is_disabled, u.epoch, u.last_login, u.created_at, u.updated_at
    ),
    entering as materialized (
      select p.verification_id, p.kind, account.*,
        account.id = (select g.user_id from given g where g.id = p.verification_id) as created
      from account join proved p on p.user_id = account.id and p.tenant_id = account.tenant_id
    )`;
}

/** The addresses of `account`, a row of `entering`, as JSON: the one just proved among them in any case. */
export function identitiesOfEntering(sql: Sql): Fragment {
  return sql`(select jsonb_agg(jsonb_build_object('id', i.id, 'kind', i.kind, 'value', i.value,
      'verified_at', i.verified_at) order by i.id)
    from (select id, kind, value, verified_at from admitted
        where admitted.tenant_id = account.tenant_id and admitted.user_id = account.id
      union all
      select known.id, known.kind, known.value, known.verified_at from identities known
      where known.tenant_id = account.tenant_id and known.user_id = account.id
        and not exists (select from admitted where admitted.id = known.id)) i)`;
}
