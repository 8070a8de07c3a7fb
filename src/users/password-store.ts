import type { Database, Fragment, Sql } from '../db/database.ts';
import { withAgent } from './store.ts';

/** What a sign-in with a password needs to know of an account. */
export interface PasswordHolder {
  id: string;
  password_hash: string | null;
  is_verified: boolean;
  is_disabled: boolean;
  first_name: string | null;
  /** The address named, or for a username the oldest one: where a code may go. Null: it has none. */
  kind: 'phone' | 'email' | 'telegram' | null;
  value: string | null;
  as_entered: string | null;
  /** Was that address ever proved? */
  address_verified: boolean;
}

/** The account behind an address or a username, whatever its state. */
export async function readPasswordHolder(
  database: Database,
  tenantId: string,
  by: { kind: string; value: string },
): Promise<PasswordHolder | undefined> {
  const { sql } = database;
  const [row] =
    by.kind === 'username'
      ? await sql<PasswordHolder[]>`
        select u.id, u.password_hash, u.is_verified, u.is_disabled, u.first_name, i.kind, i.value, i.as_entered,
          coalesce(i.verified_at is not null, false) as address_verified
        from users u left join lateral (
          select * from identities i where i.tenant_id = u.tenant_id and i.user_id = u.id
          order by i.kind <> 'email', i.id limit 1) i on true
        where u.tenant_id = ${tenantId} and lower(u.username) = lower(${by.value}) and u.username is not null`
      : await sql<PasswordHolder[]>`
        select u.id, u.password_hash, u.is_verified, u.is_disabled, u.first_name, i.kind, i.value, i.as_entered,
          i.verified_at is not null as address_verified
        from identities i join users u on u.tenant_id = i.tenant_id and u.id = i.user_id
        where i.tenant_id = ${tenantId} and i.kind = ${by.kind} and i.value = ${by.value}`;
  return row;
}

/**
 * Two entries for a `with` list: the account signs in by its password, if the hash that was checked still stands and
 * nobody has closed it meanwhile. Gives `account`, as `admit` does.
 */
export function enterFragment(
  sql: Sql,
  entry: {
    tenantId: string;
    userId: string;
    checkedHash: string;
    newHash: string | null;
    /** Where it joins a session that lives, the account has as many as before. */
    opensSession: boolean;
    /** Short hash of the program that signs in; left out: it is not remembered. */
    agent?: string;
    now: Fragment;
  },
): Fragment {
  return sql`
    admitted as (select id, kind, value, verified_at from identities where false),
    account as (
      update users u set live_sessions = u.live_sessions + ${entry.opensSession}::boolean::int, is_active = true, last_login = ${entry.now},
        known_agents = ${withAgent(sql, entry.agent ?? null)},
        updated_at = ${entry.now}, password_hash = coalesce(${entry.newHash}, u.password_hash)
      where u.tenant_id = ${entry.tenantId}::uuid and u.id = ${entry.userId}::uuid and not u.is_disabled
        and u.is_verified and u.password_hash = ${entry.checkedHash}
      returning u.id, u.role, u.first_name, u.last_name, u.username, u.custom_fields, u.is_active, u.is_verified,
        u.is_disabled, u.epoch, u.last_login, u.created_at, u.updated_at, false as created
    )`;
}

/**
 * `update …` for a `with` list after `spent`: a new password for an account that is not closed and has the address by
 * which it was proved still. Its sessions are over, which the caller sees to in the same transaction. Gives the id.
 */
export function setPasswordFragment(
  sql: Sql,
  change: { tenantId: string; userId: string; hash: string; kind: string; value: string; now: Fragment },
): Fragment {
  return sql`
    update users u set password_hash = ${change.hash}, epoch = u.epoch + 1, is_verified = true, live_sessions = 0,
      is_active = false, password_changed_at = ${change.now}, updated_at = ${change.now}
    from spent
    where u.tenant_id = ${change.tenantId}::uuid and u.id = ${change.userId}::uuid and not u.is_disabled
      and exists (select from identities i where i.tenant_id = u.tenant_id and i.user_id = u.id
        and i.kind = ${change.kind} and i.value = ${change.value})
    returning u.id`;
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
