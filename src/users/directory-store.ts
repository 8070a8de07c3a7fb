import type { Database, Fragment, Sql } from '../db/database.ts';
import type { UserRow } from './store.ts';

/** What accounts are looked for by; all of what is given must fit. */
export interface UserSearch {
  tenantId: string;
  /** Canonical addresses, of which one must be theirs. */
  addresses?: readonly { kind: string; value: string }[] | undefined;
  id?: string | undefined;
  username?: string | undefined;
  /** The beginning of a first or last name. */
  name?: string | undefined;
  state?: 'active' | 'inactive' | 'disabled' | undefined;
  /** Only those made before this one: the id that the last page ended with. */
  before?: string | undefined;
  limit: number;
}

/** An account as administrators see it. */
export interface DirectoryRow extends Omit<UserRow, 'epoch' | 'test_entry'> {
  has_password: boolean;
  live_sessions: number;
}

const columns = (sql: Sql): Fragment => sql`
  u.id, u.role, u.first_name, u.last_name, u.username, u.custom_fields, u.is_active, u.is_verified, u.is_disabled,
  u.locale, u.last_login, u.created_at, u.updated_at, u.live_sessions, u.password_hash is not null as has_password,
  coalesce((select jsonb_agg(jsonb_build_object('id', i.id, 'kind', i.kind, 'value', i.value,
    'as_entered', i.as_entered, 'verified_at', i.verified_at) order by i.id)
    from identities i where i.tenant_id = u.tenant_id and i.user_id = u.id), '[]') as identities`;

/** Accounts, the newest first. Where several ways to look are given, any one of them may fit. */
export function searchUsers(database: Database, search: UserSearch): Promise<DirectoryRow[]> {
  const { sql } = database;
  const { tenantId, addresses = [], id, username, name, state, before } = search;
  const ways: Fragment[] = [
    ...(addresses.length === 0
      ? []
      : [
          sql`u.id = any(array(select i.user_id from identities i where i.tenant_id = ${tenantId}::uuid
            and (i.kind, i.value) in (select * from unnest(${addresses.map((one) => one.kind)}::text[],
              ${addresses.map((one) => one.value)}::text[]))))`,
        ]),
    ...(id === undefined ? [] : [sql`u.id = ${id}::uuid`]),
    ...(username === undefined ? [] : [sql`lower(u.username) = lower(${username})`]),
    ...(name === undefined
      ? []
      : [
          sql`(starts_with(lower(u.first_name), lower(${name})) or starts_with(lower(u.last_name), lower(${name})))`,
        ]),
  ];
  const found = ways.length === 0 ? sql`true` : ways.reduce((all, way) => sql`${all} or ${way}`);
  const states = {
    active: sql`u.is_active`,
    inactive: sql`not u.is_active and not u.is_disabled`,
    disabled: sql`u.is_disabled`,
  };
  return sql<DirectoryRow[]>`
    select ${columns(sql)} from users u
    where u.tenant_id = ${tenantId}::uuid and u.erased_at is null and (${found})
      and ${state === undefined ? sql`true` : states[state]}
      and ${before === undefined ? sql`true` : sql`u.id < ${before}::uuid`}
    order by u.id desc limit ${search.limit}`;
}

/** `update …` for a `with` list: closes an account or opens it again. No row where nothing changes. Gives id and role. */
export function setDisabledFragment(
  sql: Sql,
  change: { tenantId: string; userId: string; isDisabled: boolean; now: Fragment },
): Fragment {
  return sql`
    update users u set is_disabled = ${change.isDisabled},
      live_sessions = case when ${change.isDisabled}::boolean then 0 else u.live_sessions end,
      is_active = u.is_active and not ${change.isDisabled}::boolean, epoch = u.epoch + 1, updated_at = ${change.now}
    where u.tenant_id = ${change.tenantId}::uuid and u.id = ${change.userId}::uuid and u.erased_at is null
      and u.is_disabled <> ${change.isDisabled}
    returning u.id`;
}

/**
 * Takes everything personal from an account, which is closed for good: what stays is its id. The row must be locked.
 * Gives the addresses that went.
 */
export async function eraseUser(
  sql: Sql,
  erasure: { tenantId: string; userId: string; now: Fragment },
): Promise<{ kind: string; value: string }[]> {
  const { tenantId, userId, now } = erasure;
  return sql<{ kind: string; value: string }[]>`
    with emptied as (
      update users set first_name = null, last_name = null, username = null, custom_fields = '{}',
        password_hash = null, role = 'user', known_agents = '{}', locale = null, named_by = null,
        is_active = false, is_disabled = true, live_sessions = 0, epoch = epoch + 1, verification_id = null,
        last_login = null, password_changed_at = null, updated_at = ${now}, erased_at = ${now}
      where tenant_id = ${tenantId}::uuid and id = ${userId}::uuid
    )
    delete from identities where tenant_id = ${tenantId}::uuid and user_id = ${userId}::uuid returning kind, value`;
}

/** Whether an account is there, was erased, or never was. */
export async function readErasure(
  sql: Sql,
  tenantId: string,
  userId: string,
): Promise<'there' | 'erased' | undefined> {
  const [row] = await sql<{ is_erased: boolean }[]>`
    select erased_at is not null as is_erased from users
    where tenant_id = ${tenantId}::uuid and id = ${userId}::uuid`;
  return row && (row.is_erased ? 'erased' : 'there');
}

/** Removes the ids that erasures left, once no token of theirs can live any more. */
export async function sweepErased(
  database: Database,
  olderThanSeconds: number,
  batch: number,
): Promise<number> {
  const result = await database.sql`
    delete from users where (tenant_id, id) in (
      select tenant_id, id from users where erased_at < ${database.now()} - make_interval(secs => ${olderThanSeconds})
      order by erased_at limit ${batch} for update skip locked)`;
  return result.count;
}
