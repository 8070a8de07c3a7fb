import type { Database, Fragment, Sql } from '../db/database.ts';

/**
 * Two entries of a `with` list after `proof`: the proved address becomes the account's, unless it is somebody else's;
 * and with `replacesId` the earlier one goes in the same statement. An upsert sees what another transaction committed
 * a moment ago: of two accounts that prove one address at once, the first has it.
 * Gives `linked` (id, kind, value, was_there) and `replaced` (id, kind, value, as_entered).
 */
export function linkFragment(
  sql: Sql,
  link: {
    tenantId: string;
    userId: string;
    newIdentityId: string;
    replacesId: string | null;
    now: Fragment;
    /** SQL after `from`: one row where the link may be made. */
    guard: Fragment;
  },
): Fragment {
  const { tenantId, userId, now } = link;
  return sql`
    linked as (
      insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
      select ${tenantId}::uuid, proof.kind, proof.value, ${link.newIdentityId}::uuid, ${userId}::uuid,
        proof.as_entered, ${now}, ${now}
      from proof, ${link.guard}
      where proof.state = 'proved'
      on conflict (tenant_id, kind, value) do update
        set verified_at = coalesce(identities.verified_at, excluded.verified_at)
        where identities.user_id = excluded.user_id
      returning id, kind, value
    ),
    replaced as (
      delete from identities i using linked
      where i.tenant_id = ${tenantId}::uuid and i.user_id = ${userId}::uuid and i.id = ${link.replacesId}::uuid
        and i.id <> linked.id
      returning i.id, i.kind, i.value, i.as_entered, i.verified_at, i.created_at
    )`;
}

/** SQL of type boolean: is this address one of the account's, as it stands? */
export function holdsFragment(
  sql: Sql,
  address: { tenantId: string; userId: string; kind: Fragment; value: Fragment },
): Fragment {
  return sql`exists (select from identities held
    where held.tenant_id = ${address.tenantId}::uuid and held.user_id = ${address.userId}::uuid
      and held.kind = ${address.kind} and held.value = ${address.value})`;
}

export interface RemovedIdentity {
  id: string;
  kind: 'phone' | 'email' | 'telegram';
  value: string;
  as_entered: string;
  /** Was it ever proved? */
  is_verified: boolean;
}

/**
 * Takes an address from an account that is locked, unless no proved one would be left.
 * Gives what went; 'last' when it must stay; undefined when the account has no such address.
 */
export async function removeIdentity(
  sql: Sql,
  query: { tenantId: string; userId: string; identityId: string },
): Promise<RemovedIdentity | 'last' | undefined> {
  const { tenantId, userId, identityId } = query;
  const [row] = await sql<{ others: number; removed: RemovedIdentity | null }[]>`
    with others as materialized (
      select count(*)::int as count from identities
      where tenant_id = ${tenantId}::uuid and user_id = ${userId}::uuid and id <> ${identityId}::uuid
        and verified_at is not null
    ),
    removed as (
      delete from identities i using others
      where i.tenant_id = ${tenantId}::uuid and i.user_id = ${userId}::uuid and i.id = ${identityId}::uuid
        and others.count > 0
      returning i.id, i.kind, i.value, i.as_entered, i.verified_at is not null as is_verified
    )
    select (select count from others) as others, (select to_jsonb(removed) from removed) as removed
    where exists (select from identities i where i.tenant_id = ${tenantId}::uuid and i.user_id = ${userId}::uuid
      and i.id = ${identityId}::uuid)`;
  if (!row) return undefined;
  return row.removed ?? 'last';
}

/**
 * Gives an address back to the account it was taken from, as it was: one that was never proved is not now. False when it
 * is somebody else's by now.
 */
export async function restoreIdentity(
  sql: Sql,
  identity: Omit<RemovedIdentity, 'is_verified'> & {
    is_verified?: boolean;
    tenantId: string;
    userId: string;
    now: Fragment;
  },
): Promise<boolean> {
  const { is_verified: isVerified = true } = identity;
  const rows = await sql`
    insert into identities as i (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
    values (${identity.tenantId}::uuid, ${identity.kind}, ${identity.value}, ${identity.id}::uuid,
      ${identity.userId}::uuid, ${identity.as_entered}, case when ${isVerified}::boolean then ${identity.now} end,
      ${identity.now})
    on conflict (tenant_id, kind, value) do update set verified_at = coalesce(i.verified_at, excluded.verified_at)
      where i.user_id = excluded.user_id
    returning id`;
  return rows.length > 0;
}

/** Whose an address is, and whether it was proved; undefined when it is nobody's. */
export async function findHolder(
  database: Database,
  tenantId: string,
  address: { kind: string; value: string },
): Promise<{ user_id: string; is_verified: boolean } | undefined> {
  const [row] = await database.sql<{ user_id: string; is_verified: boolean }[]>`
    select user_id, verified_at is not null as is_verified from identities
    where tenant_id = ${tenantId} and kind = ${address.kind} and value = ${address.value}`;
  return row;
}

/** `update …` for a `with` list after `spent`: the address was proved on the way. */
export function markProvedFragment(
  sql: Sql,
  address: { tenantId: string; kind: string; value: string; now: Fragment },
): Fragment {
  return sql`
    update identities i set verified_at = coalesce(i.verified_at, ${address.now})
    from spent
    where i.tenant_id = ${address.tenantId}::uuid and i.kind = ${address.kind} and i.value = ${address.value}
    returning i.id`;
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

/** SQL: whose the address in `b` is; null when nobody's. */
export function holderFragment(sql: Sql): Fragment {
  return sql`(select i.user_id from identities i
    where i.tenant_id = b.tenant_id and i.kind = b.kind and i.value = b.value)`;
}

/** SQL: the addresses of a user, as rows of (kind, value). */
export function addressesFragment(sql: Sql, tenantId: string, userId: string): Fragment {
  return sql`select i.kind, i.value from identities i
    where i.tenant_id = ${tenantId}::uuid and i.user_id = ${userId}::uuid`;
}

/** The account behind an address, its row locked until the transaction ends. `address` is SQL: a query of kind and value. */
export async function lockHolder(
  sql: Sql,
  tenantId: string,
  address: Fragment,
): Promise<{ id: string; role: string } | undefined> {
  const [row] = await sql<{ id: string; role: string }[]>`
    select u.id, u.role from users u
    where u.tenant_id = ${tenantId}::uuid and u.id = any(array(
      select i.user_id from identities i where i.tenant_id = ${tenantId}::uuid and (i.kind, i.value) in (${address})))
    for update of u`;
  return row;
}
