import type { Fragment, Sql } from '../db/database.ts';

export interface ImportedIdentity {
  id: string;
  kind: 'phone' | 'email' | 'telegram';
  /** Canonical. */
  value: string;
  asEntered: string;
}

/** An account that another system made. Its addresses count as proved only where that system says so. */
export interface ImportedUser {
  id: string;
  role: string;
  firstName: string | null;
  lastName: string | null;
  username: string | null;
  customFields: Record<string, unknown>;
  passwordHash: string | null;
  verified: boolean;
  createdAt: Date;
  identities: readonly ImportedIdentity[];
}

/** Addresses as `kind:value`, and usernames in lower case, that already belong to somebody. */
export async function findTaken(
  sql: Sql,
  tenantId: string,
  users: readonly ImportedUser[],
): Promise<{ addresses: Set<string>; usernames: Set<string> }> {
  const identities = users.flatMap((user) => user.identities);
  const names = users.flatMap((user) => (user.username === null ? [] : [user.username.toLowerCase()]));
  const [addresses, usernames] = await Promise.all([
    sql<{ kind: string; value: string }[]>`
      select i.kind, i.value
      from unnest(${identities.map((one) => one.kind)}::text[], ${identities.map((one) => one.value)}::text[])
        as wanted (kind, value)
      join identities i on i.tenant_id = ${tenantId} and i.kind = wanted.kind and i.value = wanted.value`,
    sql<{ username: string }[]>`
      select lower(username) as username from users
      where tenant_id = ${tenantId} and username is not null and lower(username) = any(${names}::text[])`,
  ]);
  return {
    addresses: new Set(addresses.map(({ kind, value }) => `${kind}:${value}`)),
    usernames: new Set(usernames.map(({ username }) => username)),
  };
}

/** Inserts accounts and addresses. Throws a unique violation when somebody took one since findTaken(). */
export async function insertImported(
  sql: Sql,
  tenantId: string,
  users: readonly ImportedUser[],
  now: Fragment,
): Promise<void> {
  if (users.length === 0) return;
  const of = <T>(pick: (user: ImportedUser) => T): T[] => users.map(pick);
  await sql`
    insert into users (tenant_id, id, role, first_name, last_name, username, custom_fields, password_hash,
      is_verified, created_at, updated_at)
    select ${tenantId}::uuid, u.id, u.role, u.first_name, u.last_name, u.username, u.custom_fields::jsonb,
      u.password_hash, u.is_verified::boolean, u.created_at::timestamptz, ${now}
    from unnest(${of((user) => user.id)}::uuid[], ${of((user) => user.role)}::text[],
      ${of((user) => user.firstName)}::text[], ${of((user) => user.lastName)}::text[],
      ${of((user) => user.username)}::text[], ${of((user) => JSON.stringify(user.customFields))}::text[],
      ${of((user) => user.passwordHash)}::text[], ${of((user) => String(user.verified))}::text[],
      ${of((user) => user.createdAt.toISOString())}::text[])
      as u (id, role, first_name, last_name, username, custom_fields, password_hash, is_verified, created_at)`;
  const identities = users.flatMap((user) => user.identities.map((one) => ({ ...one, user })));
  const from = <T>(pick: (identity: (typeof identities)[number]) => T): T[] => identities.map(pick);
  await sql`
    insert into identities (tenant_id, kind, value, id, user_id, as_entered, verified_at, created_at)
    select ${tenantId}::uuid, i.kind, i.value, i.id, i.user_id, i.as_entered,
      case when i.verified::boolean then ${now} end, ${now}
    from unnest(${from((one) => one.kind)}::text[], ${from((one) => one.value)}::text[],
      ${from((one) => one.id)}::uuid[], ${from((one) => one.user.id)}::uuid[],
      ${from((one) => one.asEntered)}::text[], ${from((one) => String(one.user.verified))}::text[])
      as i (kind, value, id, user_id, as_entered, verified)`;
}

/** How far the import of a file has come. */
export interface ImportProgress {
  id: string;
  rowsDone: number;
  imported: number;
  refused: number;
  reportBytes: number;
}

/** The import of this file that was begun and not finished. */
export async function findUnfinishedImport(
  sql: Sql,
  tenantId: string,
  fileHash: Uint8Array,
): Promise<ImportProgress | undefined> {
  const [row] = await sql<
    { id: string; rows_done: string; imported: string; refused: string; report_bytes: string }[]
  >`
    select id, rows_done, imported, refused, report_bytes from user_imports
    where tenant_id = ${tenantId} and file_hash = ${fileHash as Buffer} and finished_at is null`;
  return (
    row && {
      id: row.id,
      rowsDone: Number(row.rows_done),
      imported: Number(row.imported),
      refused: Number(row.refused),
      reportBytes: Number(row.report_bytes),
    }
  );
}

/** Notes that an import has begun. @returns false when one of the same file is unfinished */
export async function beginImport(
  sql: Sql,
  tenantId: string,
  begun: { id: string; fileHash: Uint8Array; fileName: string },
  now: Fragment,
): Promise<boolean> {
  const result = await sql`
    insert into user_imports (tenant_id, id, file_hash, file_name, started_at, updated_at)
    values (${tenantId}, ${begun.id}, ${begun.fileHash as Buffer}, ${begun.fileName}, ${now}, ${now})
    on conflict do nothing`;
  return result.count > 0;
}

/**
 * Moves the mark on, in the transaction of the batch it tells of. @returns false when somebody else has moved it: two
 * imports of one file run at once, and this one must write nothing.
 */
export async function advanceImport(
  sql: Sql,
  tenantId: string,
  before: ImportProgress,
  after: ImportProgress & { finished: boolean },
  now: Fragment,
): Promise<boolean> {
  const result = await sql`
    update user_imports set rows_done = ${after.rowsDone}, imported = ${after.imported},
      refused = ${after.refused}, report_bytes = ${after.reportBytes}, updated_at = ${now},
      finished_at = case when ${after.finished}::boolean then ${now} end
    where tenant_id = ${tenantId} and id = ${before.id} and rows_done = ${before.rowsDone}
      and finished_at is null`;
  return result.count > 0;
}
