import { type Database, type Fragment, hexArray, type Sql } from '../db/database.ts';
import { FEED_CHANNEL } from '../db/feed.ts';
import { LINK_CONFIRMED_LIFE_SECONDS, LINK_LIFE_SECONDS, MOST_MISMATCHES } from './policy.ts';

/** The topic by which servers learn that a link has moved on: its id. */
export const LINKS_TOPIC = 'telegram-links';

export type LinkPurpose = 'sign_in' | 'link';
type StoredState = 'waiting' | 'opened' | 'matched' | 'confirmed' | 'completed' | 'denied' | 'burned';
/** As it stands now: what nobody finished in time is over. */
export type LinkState = StoredState | 'expired';

export interface NewLink {
  tenantId: string;
  id: string;
  handleHash: Uint8Array;
  payloadHash: Uint8Array;
  purpose: LinkPurpose;
  userId: string | null;
  deviceName: string;
  ip: string;
  now: Fragment;
}

/** `insert …` for a `with` list: a link that waits to be opened. Gives its id. */
export function insertLinkFragment(sql: Sql, link: NewLink): Fragment {
  return sql`
    insert into telegram_links (tenant_id, id, handle_hash, payload_hash, purpose, user_id, device_name, ip, created_at,
      expires_at)
    values (${link.tenantId}::uuid, ${link.id}::uuid, ${link.handleHash as Buffer}::bytea,
      ${link.payloadHash as Buffer}::bytea, ${link.purpose}, ${link.userId}::uuid, ${link.deviceName}, ${link.ip},
      ${link.now}, ${link.now} + make_interval(secs => ${LINK_LIFE_SECONDS}))
    returning id`;
}

/** A link as its bot's side and its browser's side see it. */
export interface LinkRow {
  id: string;
  purpose: LinkPurpose;
  user_id: string | null;
  state: LinkState;
  mismatches: number;
  opened_by: string | null;
  first_name: string | null;
  last_name: string | null;
  username: string | null;
  device_name: string;
  ip: string;
  created_at: Date;
  expires_in: number;
}

const linkColumns = (sql: Sql, now: Fragment): Fragment => sql`
  l.id, l.purpose, l.user_id, l.mismatches, l.opened_by::text as opened_by, l.first_name, l.last_name, l.username, l.device_name, l.ip, l.created_at,
  case when l.state in ('waiting', 'opened', 'matched', 'confirmed') and l.expires_at <= ${now} then 'expired'
    else l.state end as state,
  greatest(0, ceil(extract(epoch from l.expires_at - ${now})))::int as expires_in`;

/** The link that a browser's handle names. */
export async function readLink(
  database: Database,
  of: { tenantId: string; id: string; handleHashes: readonly Uint8Array[] },
): Promise<LinkRow | undefined> {
  const { sql } = database;
  const [row] = await sql<LinkRow[]>`
    select ${linkColumns(sql, database.now())} from telegram_links l
    where l.tenant_id = ${of.tenantId} and l.id = ${of.id} and ${oneOf(sql, 'handle_hash', of.handleHashes)}`;
  return row;
}

/** How a Telegram account names a link: by the payload it brings, or by the id on a button of an earlier question. */
export type LinkName = { payloadHashes: readonly Uint8Array[] } | { id: string };

const nameOf = (sql: Sql, name: LinkName): Fragment =>
  'id' in name ? sql`l.id = ${name.id}::uuid` : oneOf(sql, 'payload_hash', name.payloadHashes);

const oneOf = (sql: Sql, column: string, hashes: readonly Uint8Array[]): Fragment =>
  sql`l.${sql(column)} = any(array(select decode(hash, 'hex') from unnest(${hexArray(hashes)}::text[]) hash))`;

/** What a Telegram account does to a link. Each is one guarded step; done twice it changes nothing more. */
export type LinkStep =
  | { do: 'open'; firstName: string | null; lastName: string | null; username: string | null }
  | { do: 'match' | 'mismatch' | 'confirm' | 'deny' };

/**
 * `update …` for a `with` list: one step by one Telegram account. The row's own state is the guard, so that of two
 * accounts that open one link one has it and the other finds nothing. Gives the row after the step, or none; every
 * server is told.
 */
export function stepFragment(
  sql: Sql,
  step: { tenantId: string; name: LinkName; telegramUserId: string; step: LinkStep; now: Fragment },
): Fragment {
  const { now } = step;
  const { guard, change } = changeOf(sql, step.step, step.telegramUserId, now);
  return sql`
    update telegram_links l set ${change}
    where l.tenant_id = ${step.tenantId}::uuid and ${nameOf(sql, step.name)} and l.expires_at > ${now} and ${guard}
    returning ${linkColumns(sql, now)}, pg_notify(${FEED_CHANNEL}, ${`${LINKS_TOPIC}:`} || l.id)`;
}

function changeOf(
  sql: Sql,
  step: LinkStep,
  by: string,
  now: Fragment,
): { guard: Fragment; change: Fragment } {
  const openedBy = sql`l.opened_by = ${by}::bigint`;
  switch (step.do) {
    case 'open':
      return {
        guard: sql`l.state = 'waiting'`,
        change: sql`state = 'opened', opened_by = ${by}::bigint, first_name = ${step.firstName},
          last_name = ${step.lastName}, username = ${step.username}`,
      };
    case 'match':
      return { guard: sql`l.state = 'opened' and ${openedBy}`, change: sql`state = 'matched'` };
    case 'mismatch':
      return {
        guard: sql`l.state = 'opened' and ${openedBy}`,
        change: sql`mismatches = l.mismatches + 1,
          state = case when l.mismatches + 1 >= ${MOST_MISMATCHES} then 'burned' else l.state end`,
      };
    case 'confirm':
      return {
        guard: sql`l.state = 'matched' and ${openedBy}`,
        change: sql`state = 'confirmed',
          expires_at = greatest(l.expires_at, ${now} + make_interval(secs => ${LINK_CONFIRMED_LIFE_SECONDS}))`,
      };
    case 'deny':
      return {
        guard: sql`l.state in ('opened', 'matched', 'confirmed') and ${openedBy}`,
        change: sql`state = 'denied'`,
      };
  }
}

/** The link that a Telegram account has already opened, for a question asked again. */
export async function readOpenedLink(
  database: Database,
  of: { tenantId: string; name: LinkName; telegramUserId: string },
): Promise<LinkRow | undefined> {
  const { sql } = database;
  const [row] = await sql<LinkRow[]>`
    select ${linkColumns(sql, database.now())} from telegram_links l
    where l.tenant_id = ${of.tenantId} and ${nameOf(sql, of.name)} and l.opened_by = ${of.telegramUserId}::bigint`;
  return row;
}

/**
 * `update …` for a `with` list: the browser that began takes what was confirmed, once. Gives value: the Telegram
 * account.
 */
export function spendLinkFragment(
  sql: Sql,
  link: {
    tenantId: string;
    id: string;
    handleHashes: readonly Uint8Array[];
    purpose: LinkPurpose;
    userId: string | null;
    now: Fragment;
  },
): Fragment {
  return sql`
    update telegram_links l set state = 'completed'
    where l.tenant_id = ${link.tenantId}::uuid and l.id = ${link.id}::uuid
      and ${oneOf(sql, 'handle_hash', link.handleHashes)} and l.state = 'confirmed' and l.expires_at > ${link.now}
      and l.purpose = ${link.purpose} and l.user_id is not distinct from ${link.userId}::uuid
    returning l.opened_by::text as value, pg_notify(${FEED_CHANNEL}, ${`${LINKS_TOPIC}:`} || l.id)`;
}

/** Removes links that ended some time ago. */
export async function sweepLinks(
  database: Database,
  olderThanSeconds: number,
  batch: number,
): Promise<number> {
  const result = await database.sql`
    delete from telegram_links where (tenant_id, id) in (
      select tenant_id, id from telegram_links
      where expires_at < ${database.now()} - make_interval(secs => ${olderThanSeconds})
      order by expires_at limit ${batch} for update skip locked)`;
  return result.count;
}
