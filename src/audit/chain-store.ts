import { type Database, type Fragment, hexArray, type Sql } from '../db/database.ts';

export interface EventRow {
  id: string;
  action: string;
  actor: string;
  subject: string | null;
  ip: string | null;
  user_agent: string | null;
  at_micros: string;
  data: string;
  position: string | null;
  previous_hash: Buffer | null;
  hash: Buffer | null;
  personal_salt: Buffer | null;
  personal_hash: Buffer | null;
  erased_by: string | null;
}

export interface HeadRow {
  position: string;
  hash: Buffer;
  pruned_position: string;
  pruned_hash: Buffer;
  seal: Buffer;
}

const columns = (sql: Sql): Fragment => sql`
  id, action, actor, subject, ip, user_agent, (extract(epoch from at) * 1000000)::bigint::text as at_micros,
  data::text as data, position::text as position, previous_hash, hash, personal_salt, personal_hash, erased_by`;

/** Tenants that have events without a place in their chain. */
export async function tenantsWithUnchained(database: Database): Promise<string[]> {
  const rows = await database.sql<{ tenant_id: string }[]>`
    with recursive waiting as (
      (select tenant_id from audit_events where position is null order by tenant_id limit 1)
      union all
      select (select e.tenant_id from audit_events e where e.position is null and e.tenant_id > waiting.tenant_id
        order by e.tenant_id limit 1) from waiting where waiting.tenant_id is not null
    )
    select tenant_id from waiting where tenant_id is not null`;
  return rows.map((row) => row.tenant_id);
}

/** Every tenant that has a chain. */
export async function chainedTenants(database: Database): Promise<string[]> {
  const rows = await database.sql<
    { tenant_id: string }[]
  >`select tenant_id from audit_heads order by tenant_id`;
  return rows.map((row) => row.tenant_id);
}

/** Makes the head of a tenant's chain, if there is none. */
export async function ensureHead(
  sql: Sql,
  tenantId: string,
  first: Uint8Array,
  seal: Uint8Array,
): Promise<void> {
  await sql`
    insert into audit_heads (tenant_id, position, hash, pruned_hash, seal)
    values (${tenantId}::uuid, 0, ${first as Buffer}, ${first as Buffer}, ${seal as Buffer})
    on conflict (tenant_id) do nothing`;
}

/** Locks the head: one server at a time lengthens a chain. Undefined while another does. */
export async function lockHead(sql: Sql, tenantId: string, wait: boolean): Promise<HeadRow | undefined> {
  const [row] = wait
    ? await sql<HeadRow[]>`select position::text, hash, pruned_position::text, pruned_hash, seal
        from audit_heads where tenant_id = ${tenantId}::uuid for update`
    : await sql<HeadRow[]>`select position::text, hash, pruned_position::text, pruned_hash, seal
        from audit_heads where tenant_id = ${tenantId}::uuid for update skip locked`;
  return row;
}

export async function readHead(sql: Sql, tenantId: string): Promise<HeadRow | undefined> {
  const [row] = await sql<HeadRow[]>`select position::text, hash, pruned_position::text, pruned_hash, seal
    from audit_heads where tenant_id = ${tenantId}::uuid`;
  return row;
}

/** Events without a place, in the order they get one. What commits later comes later: nothing is ever passed over. */
export function readUnchained(sql: Sql, tenantId: string, limit: number): Promise<EventRow[]> {
  return sql<EventRow[]>`
    select ${columns(sql)} from audit_events
    where tenant_id = ${tenantId}::uuid and position is null order by tenant_id, at, id limit ${limit}`;
}

export interface Link {
  id: string;
  position: bigint;
  previousHash: Uint8Array;
  hash: Uint8Array;
  personalSalt: Uint8Array;
  personalHash: Uint8Array;
}

/** Gives events their places and moves the head there. */
export async function writeLinks(
  sql: Sql,
  tenantId: string,
  links: readonly Link[],
  head: { position: bigint; hash: Uint8Array; seal: Uint8Array },
): Promise<void> {
  await sql`
    with chained as (
      update audit_events e set position = l.position, previous_hash = decode(l.previous_hash, 'hex'),
        hash = decode(l.hash, 'hex'), personal_salt = decode(l.salt, 'hex'),
        personal_hash = decode(l.personal_hash, 'hex')
      from unnest(${links.map((link) => link.id)}::uuid[], ${links.map((link) => String(link.position))}::bigint[],
        ${hexArray(links.map((link) => link.previousHash))}::text[], ${hexArray(links.map((link) => link.hash))}::text[],
        ${hexArray(links.map((link) => link.personalSalt))}::text[],
        ${hexArray(links.map((link) => link.personalHash))}::text[])
        as l (id, position, previous_hash, hash, salt, personal_hash)
      where e.tenant_id = ${tenantId}::uuid and e.id = l.id and e.position is null
    )
    update audit_heads set position = ${String(head.position)}::bigint, hash = ${head.hash as Buffer}::bytea,
      seal = ${head.seal as Buffer}::bytea
    where tenant_id = ${tenantId}::uuid`;
}

/** Events of the chain in order, after a position. */
export function readChained(
  sql: Sql,
  tenantId: string,
  after: string,
  upTo: string,
  limit: number,
): Promise<EventRow[]> {
  return sql<EventRow[]>`
    select ${columns(sql)} from audit_events
    where tenant_id = ${tenantId}::uuid and position > ${after}::bigint and position <= ${upTo}::bigint
    order by audit_events.position limit ${limit}`;
}

/** How many events wait for their place, and which of these erasures no event tells of. */
export async function readLoose(
  sql: Sql,
  tenantId: string,
  erasures: readonly string[],
): Promise<{ unchained: number; untold: string[] }> {
  const [row] = await sql<{ unchained: number; untold: string[] }[]>`
    select (select count(*)::int from audit_events where tenant_id = ${tenantId}::uuid and position is null) as unchained,
      array(select id::text from unnest(${erasures as string[]}::uuid[]) erasure (id) where not exists (
        select from audit_events e where e.tenant_id = ${tenantId}::uuid and e.id = erasure.id
          and e.action = 'user.erased')) as untold`;
  return row ?? { unchained: 0, untold: [] };
}

/** The last position before the first event that is younger than so many days; no higher than the head. */
export async function lastPrunable(
  sql: Sql,
  query: { tenantId: string; days: number; now: Fragment; prunedPosition: string; most: number },
): Promise<{ position: string; hash: Buffer; count: number } | undefined> {
  const [row] = await sql<{ position: string; hash: Buffer; count: number }[]>`
    with old as (
      select position, hash, at, row_number() over (order by position) as place from audit_events
      where tenant_id = ${query.tenantId}::uuid and position > ${query.prunedPosition}::bigint
      order by position limit ${query.most}
    ),
    young as (select min(place) as place from old where at >= ${query.now} - make_interval(days => ${query.days}))
    select old.position::text as position, old.hash, old.place::int as count from old, young
    where old.place < coalesce(young.place, old.place + 1) order by old.place desc limit 1`;
  return row;
}

/** Removes the events up to a position and keeps in the head where the rest begins. */
export async function prune(
  sql: Sql,
  tenantId: string,
  to: { position: string; hash: Buffer; seal: Uint8Array },
): Promise<void> {
  await sql`
    with gone as (
      delete from audit_events where tenant_id = ${tenantId}::uuid and position <= ${to.position}::bigint
    )
    update audit_heads set pruned_position = ${to.position}::bigint, pruned_hash = ${to.hash}::bytea,
      seal = ${to.seal as Buffer}::bytea
    where tenant_id = ${tenantId}::uuid`;
}

/**
 * Erases what events tell of a person: by the account, its sessions and its addresses. Their hashes stay, the salts go.
 * The head must be locked. Gives how many events lost something.
 */
export async function erasePersonal(
  sql: Sql,
  query: { tenantId: string; actor: string; subjects: readonly string[]; erasedBy: string },
): Promise<number> {
  const result = await sql`
    update audit_events set subject = null, ip = null, user_agent = null, data = '{}', personal_salt = null,
      erased_by = ${query.erasedBy}::uuid
    where tenant_id = ${query.tenantId}::uuid and erased_by is null
      and (actor = ${query.actor} or subject = any(${query.subjects as string[]}::text[]))`;
  return result.count;
}
