import { recordEvent } from '../audit/audit.ts';
import { findUndoable, undoMoves } from '../chats/chats.ts';
import type { Sql } from '../db/database.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import { isUuid } from '../kernel/id.ts';
import { disputeChanges } from '../notices/notices.ts';
import { disputeDevices } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { dropPasswordSince, findUser, lockUser } from '../users/users.ts';
import { endVerifications } from '../verification/verification.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { undoAddress } from './not-me.ts';

const OVER = 'This move was undone already, or can no longer be undone.';

/**
 * The chat that an account left takes it back: once, within 72 hours, only from that very chat. Every move since then
 * is undone with it. What was signed in from those chats ends, a shared token included, and so does what may have come of
 * a code that was brought there: every session opened since the move with the addresses it changed, codes that wait, a
 * password set since. Devices that came since are known no more.
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
  const found = await findUndoable(database.sql, { tenantId, chatId, moveId, now });
  const user = found && (await findUser(database, tenantId, found.user_id));
  if (!user) return refuse('NOT_FOUND', {}, OVER);
  const work = async (sql: Sql): Promise<string[] | undefined> => {
    if (!(await lockUser(sql, tenantId, user.id))) return undefined;
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
    const account = { tenantId, userId: move.user_id };
    const undone = { ...account, chatId, since: move.moved_at, audited, now };
    const chatIds = await undoMoves(sql, undone);
    await endVerifications(sql, tenantId, user.identities, now);
    const since = sql`${move.moved_at}::timestamptz`;
    await dropPasswordSince(sql, { ...account, since, always: false, now });
    await disputeDevices(sql, { ...account, sessionId: null, since, now });
    const moved = { ...account, chatIds, keptChatId: chatId, since: move.moved_at };
    const sessionIds = await context.sessions.begunWith(sql, moved);
    for (const change of await disputeChanges(sql, { ...account, sessionIds, now })) {
      await undoAddress(sql, tenantId, change, now);
    }
    const end = { reason: 'move_undone', actor, caller: clues.caller, now };
    return context.sessions.endThese(sql, { ...account, sessionIds, ...end });
  };
  const ended = await database.transaction((transaction) => work(transaction as unknown as Sql));
  if (!ended) return refuse('NOT_FOUND', {}, OVER);
  await context.sessions.told(tenantId, ended);
  return { ok: true, ended: ended.length };
}
