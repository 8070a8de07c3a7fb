import { type Database, isUniqueViolation, type Sql, withConflictRetry } from '../db/database.ts';
import { type Joining, SHARED_INDEX, type SessionStyle } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { CURRENT_CHAT_INDEX } from '../chats/chats.ts';
import type { SignInContext } from './context.ts';

/** Who signs in where, for a statement that may join a session instead of opening one. */
export interface JoiningPlace {
  tenant: Tenant;
  style: SessionStyle;
  /** Locks the account's row; undefined where the proof is about to make the account. */
  lock: (sql: Sql) => Promise<{ id: string; role: string } | undefined>;
  /** The Telegram chat that signs in: a chat never holds two sessions of one account. */
  chatId?: string | undefined;
}

/** May a sign-in of this style join a session that lives? A chat always does: it never holds two of one account. */
export function mayJoin(tenant: Tenant, style: SessionStyle, chatId?: string): boolean {
  return style === 'opaque' && (chatId !== undefined || tenant.policy.sessionSharing === 'per_user');
}

const NOBODY_YET = { id: undefined, role: 'user' };

/**
 * Runs the statement that signs somebody in. Where devices share a session, and for a chat, it runs in a transaction
 * that first locks the account and looks what there is to join: of two sign-ins at once the second joins what the
 * first opened, and a sign-out comes before both or after them. Elsewhere it stays the one statement.
 */
export function withJoining<T>(
  context: SignInContext,
  database: Database,
  place: JoiningPlace,
  statement: (sql: Sql, joining: Joining | undefined) => Promise<T>,
): Promise<T> {
  const { tenant, chatId } = place;
  if (!mayJoin(tenant, place.style, chatId)) {
    return withConflictRetry(() => statement(database.sql, undefined));
  }
  const joined = async (sql: Sql): Promise<T> => {
    const holder = (await place.lock(sql)) ?? NOBODY_YET;
    const joining = await context.sessions.findJoining(sql, {
      tenant,
      userId: holder.id,
      role: holder.role,
      chatId,
      now: database.now(),
    });
    return statement(sql, joining);
  };
  const attempt = (): Promise<T> =>
    database.transaction<T>((transaction) => joined(transaction as unknown as Sql));
  // Somebody unknown to both has just signed in for the first time twice: the account is there now, and its session.
  return attempt().catch((fault: unknown) => {
    const beaten = [SHARED_INDEX, CURRENT_CHAT_INDEX].some((index) => isUniqueViolation(fault, index));
    if (!beaten) throw fault;
    return attempt();
  });
}
