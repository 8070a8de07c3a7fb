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
  /** The language of its first proof; null for an imported account that was never proved. */
  locale: string | null;
  /** The test address's entry whose fixed code made it; null: a real account. */
  test_entry: string | null;
  last_login: Date | null;
  created_at: Date;
  updated_at: Date;
  /** Its addresses, oldest first. */
  identities: (IdentityRow & { as_entered: string })[];
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
  /** False when the waiting username turned out to be taken: the account is made without it. */
  takeWaitingUsername: boolean;
  /** Does the statement hold `told`, what Telegram itself says of the person? It goes before what was sent along (C4). */
  toldByTelegram: boolean;
  /** Was the proof found by its handle, not by the address alone? */
  byHandle: boolean;
  /** The language, where the verification is made by this very statement, which cannot read it back. */
  locale?: string;
  /** Short hash of the program that signs in; left out: it is not remembered. */
  agent?: string | null;
  /** False where the sign-in joins a session that lives: the account has as many as before. */
  opensSession: boolean;
  /** Does the statement hold `idle`? Then a number that changes hands begins a new account. */
  mayBeIdle?: boolean;
  now: Fragment;
}

/** SQL of type text[]: the programs an account is signed in with, this one last among at most 20. */
export function withAgent(sql: Sql, agent: string | null | Fragment): Fragment {
  return sql`case when ${agent}::text is null or ${agent}::text = any(u.known_agents) then u.known_agents
    else u.known_agents[greatest(1, cardinality(u.known_agents) - 18):] || ${agent}::text end`;
}

/** SQL of type boolean over `account`: it existed before and was never signed in with this program. */
export function newAgentFragment(sql: Sql, tenantId: string, agent: string): Fragment {
  return sql`exists (select from users had where had.tenant_id = ${tenantId}::uuid and had.id = account.id
    and had.last_login is not null and not ${agent}::text = any(had.known_agents))`;
}

/**
 * Two entries for a `with` list that come after `proof` (state, purpose, kind, value, as_entered, id,
 * vouches_password, pending_registration_id), `budget` (contested) and `claimed` (the registration it completes): the proved address is found
 * or made, and its account with it.
 *
 * No unproven password survives (S05). A new account keeps the waiting one when the proof came by the handle of whoever
 * typed it, or when nobody else typed another for this address. An imported account that was never verified keeps its
 * own only when whoever started the verification had typed it. Both are upserts, which see what another transaction committed
 * a moment ago, so that of two first proofs at once one makes the account and the other joins it.
 * Gives `account`: the row of users, and `created`. No row: registration is closed and nobody has the address.
 */
export function admitFragment(sql: Sql, admission: Admission): Fragment {
  const { tenantId, now, newUserId } = admission;
  const { toldByTelegram } = admission;
  const told = (field: 'first_name' | 'last_name' | 'username'): Fragment =>
    toldByTelegram ? sql`(select ${sql(field)} from told)` : sql`null`;
  const toldUsername = admission.takeWaitingUsername ? told('username') : sql`null`;
  // What owners have called themselves stays.
  const ownName = toldByTelegram ? sql`(u.named_by = 'owner' and exists (select from told))` : sql`false`;
  const { mayBeIdle = false } = admission;
  const askedMore = mayBeIdle
    ? sql`not exists (select from idle where verdict in ('ask', 'refuse'))`
    : sql`true`;
  // The newest row decides whose the number is: of two that take it at once the second joins the first one's account.
  const taken = mayBeIdle
    ? sql`identities.user_id = (select id from idle where verdict = 'take')`
    : sql`false`;
  const opened = admission.opensSession ? sql`(not u.is_disabled)::int` : sql`0`;
  return sql`
    admitted as (
      insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
      select ${tenantId}::uuid, proof.kind, proof.value, ${admission.newIdentityId}::uuid, ${newUserId}::uuid,
        proof.as_entered, ${now}, ${now}
      from proof
      where proof.state = 'proved' and proof.purpose in ('sign_in', 'register') and ${askedMore} and (${admission.registrationOpen} or exists (
        select from identities known
        where known.tenant_id = ${tenantId}::uuid and known.kind = (select kind from proof)
          and known.value = (select value from proof)))
      on conflict (tenant_id, kind, value) do update
        set verified_at = case when ${taken} then excluded.verified_at
            else coalesce(identities.verified_at, excluded.verified_at) end,
          user_id = case when ${taken} then excluded.user_id else identities.user_id end,
          id = case when ${taken} then excluded.id else identities.id end,
          as_entered = case when ${taken} then excluded.as_entered else identities.as_entered end,
          created_at = case when ${taken} then excluded.created_at else identities.created_at end
      returning id, user_id, kind, value, verified_at
    ),
    trusted as materialized (
      select ${admission.byHandle}::boolean and proof.vouches_password
          or not budget.contested and not coalesce(claimed.contested, false) as waiting,
        proof.vouches_password and proof.pending_registration_id is null
          and (${admission.byHandle}::boolean or not budget.contested) as imported
      from proof join budget on budget.kind = proof.kind and budget.value = proof.value left join claimed on true
    ),
    account as (
      insert into users as u (tenant_id, id, role, first_name, last_name, username, custom_fields, password_hash,
        is_active, is_verified, live_sessions, verification_id, test_entry, locale, known_agents, last_login, created_at, updated_at)
      select ${tenantId}::uuid, admitted.user_id, coalesce(claimed.role, 'user'),
        coalesce(${told('first_name')}, ${admission.firstName}, claimed.first_name),
        coalesce(${told('last_name')}, ${admission.lastName}, claimed.last_name),
        coalesce(${toldUsername}, ${admission.username}, case when ${admission.takeWaitingUsername}::boolean then claimed.username end),
        coalesce(claimed.custom_fields, '{}'), case when trusted.waiting then claimed.password_hash end,
        true, true, 1, proof.id, proof.test_entry,
        coalesce((select v.locale from verifications v where v.tenant_id = ${tenantId}::uuid and v.id = proof.id),
          ${admission.locale ?? null}),
        array_remove(array[${admission.agent ?? null}::text], null), ${now}, ${now}, ${now}
      from admitted, trusted, proof left join claimed on true
      on conflict (tenant_id, id) do update set
        first_name = case when ${ownName} then u.first_name
          else coalesce(${told('first_name')}, ${admission.firstName}, u.first_name) end,
        last_name = case when ${ownName} then u.last_name
          else coalesce(${told('last_name')}, ${admission.lastName}, u.last_name) end,
        username = case when ${ownName} then u.username
          else coalesce(${toldUsername}, ${admission.username}, u.username) end,
        password_hash = case when u.is_verified or (select imported from trusted) then u.password_hash
          else excluded.password_hash end,
        is_verified = true,
        locale = coalesce(u.locale, excluded.locale),
        known_agents = ${withAgent(sql, admission.agent ?? null)},
        is_active = u.live_sessions + ${opened} > 0,
        live_sessions = u.live_sessions + ${opened},
        last_login = case when u.is_disabled then u.last_login else excluded.last_login end,
        updated_at = excluded.updated_at
      -- A fixed code opens only what it has made, and a real proof never what a tester has.
      where u.test_entry is not distinct from excluded.test_entry
      returning u.id, u.role, u.first_name, u.last_name, u.username, u.custom_fields, u.is_active, u.is_verified,
        u.is_disabled, u.epoch, u.last_login, u.created_at, u.updated_at, u.id = ${newUserId}::uuid as created,
        u.password_hash is not null as has_password
    )`;
}

/** SQL of type boolean over `account` and `claimed`: an unproven password was dropped, and none is left. */
export function passwordDroppedFragment(sql: Sql, tenantId: string): Fragment {
  return sql`(not account.has_password and (exists (select from claimed where password_hash is not null)
    or exists (select from users had where had.tenant_id = ${tenantId}::uuid and had.id = account.id
      and had.password_hash is not null)))`;
}

/** One user with addresses, or undefined. */
export async function readUser(
  database: Database,
  tenantId: string,
  userId: string,
): Promise<UserRow | undefined> {
  const [row] = await database.sql<UserRow[]>`
    select u.id, u.role, u.first_name, u.last_name, u.username, u.custom_fields, u.is_active, u.is_verified,
      u.is_disabled, u.epoch, u.locale, u.test_entry, u.last_login, u.created_at, u.updated_at,
      coalesce((select jsonb_agg(jsonb_build_object('id', i.id, 'kind', i.kind, 'value', i.value,
        'as_entered', i.as_entered, 'verified_at', i.verified_at) order by i.id)
        from identities i where i.tenant_id = u.tenant_id and i.user_id = u.id), '[]') as identities
    from users u where u.tenant_id = ${tenantId} and u.id = ${userId}`;
  return row;
}

export interface ProfileChanges {
  first_name?: string | null;
  last_name?: string | null;
  username?: string | null;
  /** Replaces them all. */
  custom_fields?: Record<string, unknown>;
}

/** `update …` for a `with` list: changes only what is given. Gives the id, or no row. */
export function updateProfileFragment(
  sql: Sql,
  tenantId: string,
  userId: string,
  changes: ProfileChanges,
  now: Fragment,
): Fragment {
  const pick = (name: 'first_name' | 'last_name' | 'username'): Fragment =>
    changes[name] === undefined ? sql`${sql(name)}` : sql`${changes[name]}`;
  const isNamed = [changes.first_name, changes.last_name, changes.username].some(
    (name) => name !== undefined,
  );
  const fields = changes.custom_fields === undefined ? null : JSON.stringify(changes.custom_fields);
  return sql`
    update users set first_name = ${pick('first_name')}, last_name = ${pick('last_name')},
      username = ${pick('username')}, named_by = case when ${isNamed}::boolean then 'owner' else named_by end, custom_fields = coalesce(${fields}::text::jsonb, custom_fields), updated_at = ${now}
    where tenant_id = ${tenantId}::uuid and id = ${userId}::uuid and not is_disabled returning id`;
}

/** SQL of type boolean: has this user signed in since the address in `b` was closed? By it they could not. */
export function provedSinceFragment(sql: Sql, user: Fragment): Fragment {
  return sql`exists (select from users u
    where u.tenant_id = b.tenant_id and u.id = ${user} and u.last_login > b.closed_at)`;
}

/** An account, its row locked until the transaction ends. */
export async function lockUser(
  sql: Sql,
  tenantId: string,
  userId: string,
): Promise<{ id: string; role: string } | undefined> {
  const [row] = await sql<{ id: string; role: string }[]>`
    select id, role from users where tenant_id = ${tenantId}::uuid and id = ${userId}::uuid for update`;
  return row;
}
