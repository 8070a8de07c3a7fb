import type { Database, Fragment, Sql } from '../db/database.ts';

export interface UserRow {
  id: string;
  role: string;
  first_name: string | null;
  last_name: string | null;
  username: string | null;
  custom_fields: Record<string, unknown>;
  is_active: boolean;
  is_verified: boolean;
  is_disabled: boolean;
  epoch: number;
  last_login: Date | null;
  created_at: Date;
  updated_at: Date;
  /** Its addresses, oldest first. */
  identities: IdentityRow[];
}

export interface IdentityRow {
  id: string;
  kind: 'phone' | 'email' | 'telegram';
  value: string;
  verified_at: string | null;
}

export interface Admission {
  tenantId: string;
  /** Taken if the proof makes an account. */
  newUserId: string;
  newIdentityId: string;
  /** Whether somebody unknown may get an account. */
  registrationOpen: boolean;
  firstName: string | null;
  lastName: string | null;
  username: string | null;
  now: Fragment;
}

/**
 * Two entries for a `with` list that come after `proof` (state, purpose, kind, value, as_entered, id): the proved
 * address is found or made, and its account with it. Both are upserts, which see what another transaction committed
 * a moment ago, so that of two first proofs at once one makes the account and the other joins it.
 * Gives `account`: the row of users, and `created`. No row: registration is closed and nobody has the address.
 */
export function admitFragment(sql: Sql, admission: Admission): Fragment {
  const { tenantId, now, newUserId } = admission;
  return sql`
    admitted as (
      insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
      select ${tenantId}::uuid, proof.kind, proof.value, ${admission.newIdentityId}::uuid, ${newUserId}::uuid,
        proof.as_entered, ${now}, ${now}
      from proof
      where proof.state = 'proved' and proof.purpose = 'sign_in' and (${admission.registrationOpen} or exists (
        select from identities known
        where known.tenant_id = ${tenantId}::uuid and known.kind = (select kind from proof)
          and known.value = (select value from proof)))
      on conflict (tenant_id, kind, value) do update
        set verified_at = coalesce(identities.verified_at, excluded.verified_at)
      returning id, user_id, kind, value, verified_at
    ),
    account as (
      insert into users as u (tenant_id, id, first_name, last_name, username, is_active, is_verified, live_sessions,
        verification_id, last_login, created_at, updated_at)
      select ${tenantId}::uuid, admitted.user_id, ${admission.firstName}, ${admission.lastName},
        ${admission.username}, true, true, 1, proof.id, ${now}, ${now}, ${now}
      from admitted, proof
      on conflict (tenant_id, id) do update set
        first_name = coalesce(excluded.first_name, u.first_name),
        last_name = coalesce(excluded.last_name, u.last_name),
        username = coalesce(excluded.username, u.username),
        is_verified = true,
        is_active = u.live_sessions + (not u.is_disabled)::int > 0,
        live_sessions = u.live_sessions + (not u.is_disabled)::int,
        last_login = case when u.is_disabled then u.last_login else excluded.last_login end,
        updated_at = excluded.updated_at
      returning u.id, u.role, u.first_name, u.last_name, u.username, u.custom_fields, u.is_active, u.is_verified,
        u.is_disabled, u.epoch, u.last_login, u.created_at, u.updated_at, u.id = ${newUserId}::uuid as created
    )`;
}

/** The addresses of `account` as JSON, the one just proved among them even where the snapshot does not show it. */
export function identitiesFragment(sql: Sql, tenantId: string): Fragment {
  return sql`(select jsonb_agg(jsonb_build_object('id', i.id, 'kind', i.kind, 'value', i.value,
      'verified_at', i.verified_at) order by i.id)
    from (select id, kind, value, verified_at from admitted
      union all
      select known.id, known.kind, known.value, known.verified_at from identities known
      where known.tenant_id = ${tenantId}::uuid and known.user_id = account.id
        and not exists (select from admitted where admitted.id = known.id)) i)`;
}

/** One user with addresses, or undefined. */
export async function readUser(
  database: Database,
  tenantId: string,
  userId: string,
): Promise<UserRow | undefined> {
  const [row] = await database.sql<UserRow[]>`
    select u.id, u.role, u.first_name, u.last_name, u.username, u.custom_fields, u.is_active, u.is_verified,
      u.is_disabled, u.epoch, u.last_login, u.created_at, u.updated_at,
      coalesce((select jsonb_agg(jsonb_build_object('id', i.id, 'kind', i.kind, 'value', i.value,
        'verified_at', i.verified_at) order by i.id)
        from identities i where i.tenant_id = u.tenant_id and i.user_id = u.id), '[]') as identities
    from users u where u.tenant_id = ${tenantId} and u.id = ${userId}`;
  return row;
}

export interface ProfileChanges {
  first_name?: string | null;
  last_name?: string | null;
  username?: string | null;
}

/** `update …` for a `with` list: changes only what is given. Gives the id, or no row. */
export function updateProfileFragment(
  sql: Sql,
  tenantId: string,
  userId: string,
  changes: ProfileChanges,
  now: Fragment,
): Fragment {
  const pick = (name: keyof ProfileChanges): Fragment =>
    changes[name] === undefined ? sql`${sql(name)}` : sql`${changes[name]}`;
  return sql`
    update users set first_name = ${pick('first_name')}, last_name = ${pick('last_name')},
      username = ${pick('username')}, updated_at = ${now}
    where tenant_id = ${tenantId}::uuid and id = ${userId}::uuid and not is_disabled returning id`;
}
