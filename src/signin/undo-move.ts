import { recordEvent } from '../audit/audit.ts';
import { findUndoable, undoMoves } from '../chats/chats.ts';
import type { Sql } from '../db/database.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import { isUuid } from '../kernel/id.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { lockUser } from '../users/users.ts';
import type { RequestClues, SignInContext } from './context.ts';

/**
 * The chat that an account left takes it back: once, within 72 hours, only from that very chat. Every move since then
 * is undone with it, and what was signed in from those chats ends, a shared token included.
 */
export async function undoMove(
  context: SignInContext,
  { tenant, chatId, moveId }: { tenant: Tenant; chatId: string; moveId: string },
  clues: RequestClues,
): Promise<{ ok: true; ended: number } | Refused> {
  if (!isUuid(moveId)) return refuse('NOT_FOUND');
  const database = context.databaseOf(tenant.id);
  const tenantId = tenant.id;
  const now = database.now();
  const work = async (sql: Sql): Promise<string[] | undefined> => {
    const found = await findUndoable(sql, { tenantId, chatId, moveId, now });
    if (!found || !(await lockUser(sql, tenantId, found.user_id))) return undefined;
    // Somebody may have pressed it a moment before: looked at again, now that nobody else can.
    const move = await findUndoable(sql, { tenantId, chatId, moveId, now });
    if (!move) return undefined;
    const actor = `telegram_chat:${chatId}`;
    const audited = recordEvent(sql, {
      tenantId,
      id: sql`${context.newId()}::uuid`,
      action: sql`'chat.move_undone'`,
      actor: sql`${actor}`,
      subject: sql`${`user:${move.user_id}`}`,
      caller: clues.caller,
      now,
      data: sql`jsonb_build_object('move_id', ${moveId}::text)`,
      from: sql`linked`,
    });
    const query = { tenantId, userId: move.user_id, chatId, since: move.moved_at, audited, now };
    const chatIds = await undoMoves(sql, query);
    return context.sessions.endOfChats(sql, {
      tenantId,
      userId: move.user_id,
      chatIds,
      reason: 'move_undone',
      actor,
      caller: clues.caller,
      now,
    });
  };
  const ended = await database.transaction((transaction) => work(transaction as unknown as Sql));
  if (!ended) return refuse('NOT_FOUND', {}, 'This move was undone already, or can no longer be undone.');
  await context.sessions.told(tenantId, ended);
  return { ok: true, ended: ended.length };
}
