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
      returning i.id, i.kind, i.value, i.as_entered
    )
    select (select count from others) as others, (select to_jsonb(removed) from removed) as removed
    where exists (select from identities i where i.tenant_id = ${tenantId}::uuid and i.user_id = ${userId}::uuid
      and i.id = ${identityId}::uuid)`;
  if (!row) return undefined;
  return row.removed ?? 'last';
}

/** Gives an address back to the account it was taken from. False when it is somebody else's by now. */
export async function restoreIdentity(
  sql: Sql,
  identity: RemovedIdentity & { tenantId: string; userId: string; now: Fragment },
): Promise<boolean> {
  const rows = await sql`
    insert into identities as i (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
    values (${identity.tenantId}::uuid, ${identity.kind}, ${identity.value}, ${identity.id}::uuid,
      ${identity.userId}::uuid, ${identity.as_entered}, ${identity.now}, ${identity.now})
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

/** The hash of an account's password; null where it has none. */
export async function findPasswordHash(
  database: Database,
  tenantId: string,
  userId: string,
): Promise<string | null> {
  const [row] = await database.sql<{ password_hash: string | null }[]>`
    select password_hash from users where tenant_id = ${tenantId} and id = ${userId}`;
  return row?.password_hash ?? null;
}

/** A new password for an account whose session goes on; the epoch moves. False when the account was closed meanwhile. */
export async function replacePassword(
  sql: Sql,
  change: { tenantId: string; userId: string; hash: string | null; now: Fragment },
): Promise<boolean> {
  const rows = await sql`
    update users set password_hash = ${change.hash}, epoch = epoch + 1, password_changed_at = ${change.now},
      updated_at = ${change.now}
    where tenant_id = ${change.tenantId}::uuid and id = ${change.userId}::uuid and not is_disabled
    returning id`;
  return rows.length > 0;
}

/** Drops a password that was set since a moment, or any: it may be a thief's. True when one went. */
export async function dropPasswordSince(
  sql: Sql,
  query: { tenantId: string; userId: string; since: Fragment; always: boolean; now: Fragment },
): Promise<boolean> {
  const rows = await sql`
    update users set password_hash = null, epoch = epoch + 1, password_changed_at = ${query.now},
      updated_at = ${query.now}
    where tenant_id = ${query.tenantId}::uuid and id = ${query.userId}::uuid and password_hash is not null
      and (${query.always}::boolean or password_changed_at >= ${query.since})
    returning id`;
  return rows.length > 0;
}
