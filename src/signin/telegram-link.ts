import { recordEvent } from '../audit/audit.ts';
import { type Database, type Fragment, withConflictRetry } from '../db/database.ts';
import { deviceNameOf } from '../kernel/device-name.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import type { Access, SessionStyle } from '../sessions/sessions.ts';
import {
  LINK_LIFE_SECONDS,
  type LinkPurpose,
  type LinkRow,
  type LinkState,
} from '../telegram-proofs/telegram-proofs.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { type PublicUser, findUser, publicUser } from '../users/users.ts';
import { signInAttested } from './attested-sign-in.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { linkAddress } from './link-address.ts';
import { takeOfCaller } from './prove-work.ts';
import { requireProof } from './require-proof.ts';
import type { SignedIn } from './signed-in.ts';

/** Seconds after which a browser that does not wait asks again. */
const POLL_AFTER_SECONDS = 2;

/** A link as the browser that began it is given it. */
export interface TelegramLinkStarted {
  ok: true;
  tenant: Tenant;
  linkId: string;
  url: string;
  matchNumber: number;
  expiresIn: number;
  pollAfter: number;
}

/** Where people meet the tenant's bot, or why they cannot. */
function botLinkOf(context: SignInContext, tenant: Tenant): { ok: true; link: string } | Refused {
  const open = tenant.policy.channels.includes('telegram');
  const link = open ? context.telegram.linkOf(tenant.id) : undefined;
  return link === undefined ? refuse('CHANNEL_UNAVAILABLE', {}, NOT_SET_UP) : { ok: true, link };
}

/** Said to who would add a Telegram account that signs in to another account. */
export const TAKEN = 'This Telegram account belongs to another account here.';

/** Said where a tenant has no bot, or has closed Telegram. */
export const NOT_SET_UP = 'Signing in by Telegram is not set up here.';

/**
 * Begins a sign-in (or, for somebody signed in, the linking of a Telegram account) that is confirmed in Telegram. Two
 * secrets of at least 128 bits are made: one stays in the browser, the other travels in the link (S11). Neither is
 * stored. Takes from the caller's budget.
 */
export async function startTelegramLink(
  context: SignInContext,
  input: { tenant?: string; access?: Access },
  clues: RequestClues,
): Promise<TelegramLinkStarted | Refused> {
  const { access } = input;
  const tenant =
    access?.tenant ??
    context.tenants.resolve({ header: clues.tenantHeader, body: input.tenant, host: clues.host });
  if (!tenant) return refuse('TENANT_NOT_FOUND');
  const bot = botLinkOf(context, tenant);
  if (!bot.ok) return bot;
  const unproved = access && (await requireProof(context, access, 'address'));
  if (unproved) return unproved;
  const limited = await takeOfCaller(context, clues, 'telegram', access !== undefined);
  if (limited) return limited;
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  const now = database.now();
  const purpose: LinkPurpose = access ? 'link' : 'sign_in';
  const link = context.telegramSignIn.proofs.newLink(sql, {
    tenantId: tenant.id,
    purpose,
    userId: access?.userId ?? null,
    deviceName: deviceNameOf(clues.caller.userAgent).name,
    ip: clues.caller.ip,
    now,
  });
  const audited = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`'telegram_link.started'`,
    actor: sql`${access ? `user:${access.userId}` : 'anonymous'}`,
    subject: sql`'telegram_link:' || made.id`,
    caller: clues.caller,
    now,
    data: sql`jsonb_build_object('purpose', ${purpose}::text)`,
    from: sql`made`,
  });
  await sql`with made as (${link.insert}), audited as (${audited}) select id from made`;
  return {
    ok: true,
    tenant,
    linkId: link.linkId,
    url: `${bot.link}?start=${link.payload}`,
    matchNumber: link.matchNumber,
    expiresIn: LINK_LIFE_SECONDS,
    pollAfter: POLL_AFTER_SECONDS,
  };
}

/** What the browser may know of its link. A number that is matched, or who opened it, is not for it. */
export type TelegramLinkState = 'waiting' | 'opened' | 'confirmed' | 'completed' | 'denied' | 'expired';

const SHOWN: Record<LinkState, TelegramLinkState> = {
  waiting: 'waiting',
  opened: 'opened',
  matched: 'opened',
  confirmed: 'confirmed',
  completed: 'completed',
  denied: 'denied',
  burned: 'denied',
  expired: 'expired',
};

export interface TelegramLinkTold {
  ok: true;
  state: TelegramLinkState;
  expiresIn: number;
  matchNumber: number;
  pollAfter: number;
}

/**
 * Tells the browser how its link stands.
 * @param wait seconds to wait for a state other than `seen`
 */
export async function readTelegramLink(
  context: SignInContext,
  input: { linkId: string; wait?: number; seen?: string },
  clues: RequestClues,
): Promise<TelegramLinkTold | Refused> {
  const located = locate(context, input.linkId, clues);
  if (!located) return refuse('VERIFICATION_NOT_FOUND');
  const { proofs } = context.telegramSignIn;
  const database = context.databaseOf(located.tenant.id);
  const { handle } = located;
  // Begun before the first look: what happens between the two is not missed.
  const moved = input.wait ? proofs.linkMoved(handle.id, input.wait * 1000) : undefined;
  let row = await proofs.findLink(database, handle);
  if (row && moved && SHOWN[row.state] === input.seen && row.expires_in > 0) {
    await moved;
    row = await proofs.findLink(database, handle);
  }
  if (!row) return refuse('VERIFICATION_NOT_FOUND');
  return {
    ok: true,
    state: SHOWN[row.state],
    expiresIn: row.expires_in,
    matchNumber: proofs.matchNumber(handle.tenantId, handle.id),
    pollAfter: POLL_AFTER_SECONDS,
  };
}

function locate(context: SignInContext, linkId: string, clues: RequestClues) {
  const handle = context.telegramSignIn.proofs.readLinkId(linkId);
  const tenant = handle && context.tenants.byId(handle.tenantId);
  if (!handle || !tenant) return undefined;
  if (clues.tenantHeader !== undefined && clues.tenantHeader !== tenant.slug) return undefined;
  return { handle, tenant };
}

export interface CompleteTelegramLinkInput {
  linkId: string;
  device?: { name?: string; kind?: string };
  style?: SessionStyle;
  /** Who completes a linking: the one who began it. */
  access?: Access;
}

/** A Telegram account became an address of the account that asked for it. */
export interface AddressLinked {
  ok: true;
  linked: PublicUser;
}

/**
 * Gives the session of a confirmed link to the browser that holds its secret, once. One statement consumes the link,
 * finds or makes the account, opens the session and records it; a confirmation alone never made any of them.
 */
export async function completeTelegramLink(
  context: SignInContext,
  input: CompleteTelegramLinkInput,
  clues: RequestClues,
): Promise<SignedIn | AddressLinked | Refused> {
  const located = locate(context, input.linkId, clues);
  if (!located) return refuse('VERIFICATION_NOT_FOUND');
  const { handle, tenant } = located;
  const { proofs } = context.telegramSignIn;
  const database = context.databaseOf(tenant.id);
  const row = await proofs.findLink(database, handle);
  const refused = refuseState(row);
  if (refused || !row?.opened_by) return refused ?? refuse('VERIFICATION_NOT_FOUND');
  const { purpose, user_id: userId } = row;
  const spend = (sql: typeof database.sql, now: Fragment): Fragment =>
    proofs.spendLink(sql, handle, { purpose, userId, now });
  if (userId !== null) {
    if (input.access?.userId !== userId) return refuse('TOKEN_INVALID');
    const { access } = input;
    const link = { access, kind: 'telegram', spend, way: 'link', tellsOwner: true } as const;
    const outcome = await withConflictRetry(() => linkAddress(context, database.sql, link, clues));
    if (outcome === 'spent') return refuseRaced(context, database, handle);
    if (outcome === 'taken') return refuse('ALREADY_REGISTERED', {}, TAKEN);
    context.notices.deliverSoon(database);
    const user = await findUser(database, tenant.id, userId);
    return user ? { ok: true, linked: publicUser(user) } : refuse('SESSION_ENDED');
  }
  const names = { firstName: row.first_name, lastName: row.last_name, username: row.username };
  const { device, style } = input;
  const attested = { kind: 'telegram', value: row.opened_by, way: 'link', tenant, spend, names } as const;
  const outcome = await signInAttested(context, { ...attested, device, style }, clues);
  return outcome ?? refuseRaced(context, database, handle);
}

/** Somebody else took it, or it ended, between the look and the statement. */
async function refuseRaced(
  context: SignInContext,
  database: Database,
  handle: Parameters<SignInContext['telegramSignIn']['proofs']['findLink']>[1],
): Promise<Refused> {
  return (
    refuseState(await context.telegramSignIn.proofs.findLink(database, handle)) ??
    refuse('VERIFICATION_NOT_FOUND')
  );
}

function refuseState(row: LinkRow | undefined): Refused | undefined {
  switch (row?.state) {
    case 'confirmed':
      return undefined;
    case 'waiting':
    case 'opened':
    case 'matched':
      return refuse('LINK_NOT_CONFIRMED', { expires_in: row.expires_in });
    case 'denied':
    case 'burned':
      return refuse('LINK_DENIED');
    case 'expired':
      return refuse('LINK_EXPIRED');
    case 'completed':
    case undefined:
      return refuse('VERIFICATION_NOT_FOUND');
  }
}
