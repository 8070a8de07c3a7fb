import { findChat, findLastMove } from '../chats/chats.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import type { ChatSession, Tokens } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { findPasswordHolder, findUser, type PublicUser, publicUser } from '../users/users.ts';
import { locateAddress } from './address.ts';
import type { RequestClues, SignInContext } from './context.ts';

/** Changes of consequence wait for so long after an account's chat has moved (C7). */
export const HOLD_AFTER_MOVE_SECONDS = 86_400;

export interface PhoneAuthorization {
  ok: true;
  authorized: boolean;
  phone: string;
  tenant: Tenant;
  user: PublicUser | undefined;
  session: ChatSession | undefined;
}

/**
 * Has the account of a phone a live session? Tells no token: a phone is no proof of anything.
 * @param input.phone as typed; national forms by the tenant's country
 */
export async function authorizationOfPhone(
  context: SignInContext,
  tenant: Tenant,
  phone: string,
  clues: RequestClues,
): Promise<PhoneAuthorization | Refused> {
  const located = locateAddress(context.tenants, { phone }, { ...clues, tenantHeader: tenant.slug });
  if (!located.ok) return located;
  const { value } = located.address;
  const database = context.databaseOf(tenant.id);
  const holder = await findPasswordHolder(database, tenant.id, { kind: 'phone', value });
  const row = holder && (await findUser(database, tenant.id, holder.id));
  const open = row && !row.is_disabled ? row : undefined;
  const session = open && (await context.sessions.findOfChat(tenant, open.id, null));
  return {
    ok: true,
    authorized: session !== undefined,
    phone: value,
    tenant,
    user: row && publicUser(row),
    session,
  };
}

export interface ChatAuthorization {
  ok: true;
  tenant: Tenant;
  chatId: string;
  /** Undefined: no account was proved in this chat, or it has moved to another. */
  user: PublicUser | undefined;
  /** The token that this chat holds; undefined: it is signed in no more. */
  held: { session: ChatSession; tokens: Tokens } | undefined;
  movedAt: Date | undefined;
}

/** What a chat holds: only ever what was proved in that very chat (C6). */
export async function authorizationOfChat(
  context: SignInContext,
  tenant: Tenant,
  chatId: string,
): Promise<ChatAuthorization> {
  const database = context.databaseOf(tenant.id);
  const nobody = { ok: true as const, tenant, chatId, user: undefined, held: undefined, movedAt: undefined };
  const chat = await findChat(database, tenant.id, chatId);
  if (!chat?.user_id) return nobody;
  const [user, session, move] = await Promise.all([
    findUser(database, tenant.id, chat.user_id),
    context.sessions.findOfChat(tenant, chat.user_id, chatId),
    findLastMove(database, tenant.id, chat.user_id),
  ]);
  if (!user || user.is_disabled) return nobody;
  const held = session && {
    session,
    tokens: await context.sessions.tokensFor(tenant, {
      sessionId: session.id,
      deviceId: session.device_id,
      userId: user.id,
      counter: 0,
      role: user.role,
      epoch: user.epoch,
      amr: session.amr,
      style: session.style,
      expiresAt: session.expires_at,
      now: session.now,
    }),
  };
  return { ok: true, tenant, chatId, user: publicUser(user), held, movedAt: move?.moved_at };
}

/** Ends every session of the account that this chat belongs to, on every device. */
export async function invalidateChat(
  context: SignInContext,
  { tenant, chatId, actor }: { tenant: Tenant; chatId: string; actor: string },
  clues: RequestClues,
): Promise<{ ok: true; ended: number } | Refused> {
  const chat = await findChat(context.databaseOf(tenant.id), tenant.id, chatId);
  if (!chat?.user_id) return refuse('NOT_FOUND', {}, 'No account belongs to this chat.');
  const ended = await context.sessions.endAllOf(tenant, chat.user_id, actor, clues.caller);
  return { ok: true, ended: ended.count };
}
