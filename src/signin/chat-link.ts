import { recordEvent } from '../audit/audit.ts';
import { type CurrentChat, findCurrentChat, isChatOf, linkChat } from '../chats/chats.ts';
import type { Database, Fragment, Sql } from '../db/database.ts';
import { messageLocales, type QueuedMessage } from '../delivery/delivery.ts';
import { matchLocale } from '../kernel/locale.ts';
import type { Joining } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { RequestClues, SignInContext } from './context.ts';

/** A notice to the earlier chat stays worth reading as long as the move can be undone. */
const UNDO_SECONDS = 72 * 3600;

/** The data of the button that undoes a move; the bot reads it. Only the chat that lost the account may press it. */
export const UNDO_PREFIX = 'undo_move';

/** A chat becomes the one chat of the account that a proof made in it signs in to. */
export interface ChatToLink {
  /** Of a private chat, hence also the Telegram user's. */
  chatId: string;
  /** Looks for the earlier chat, once the account's row is locked. */
  prepare(sql: Sql, joining: Joining | undefined): Promise<void>;
  /** SQL of type boolean over `u`: is it the chat of this account already? */
  isOf(sql: Sql): Fragment;
  /** Entries for the sign-in's statement, after `opened`, each followed by a comma. */
  fragment(sql: Sql, now: Fragment): Fragment;
  /** After the commit: what happened, and the notice goes out. */
  done(): { movedFrom: string | undefined; moveId: string | undefined };
}

/** @param chatId a private chat, in which the proof was made */
export function chatToLink(
  context: SignInContext,
  database: Database,
  tenant: Tenant,
  chatId: string,
  clues: RequestClues,
): ChatToLink {
  const tenantId = tenant.id;
  const moveId = context.newId();
  let earlier: CurrentChat | undefined;
  let notice: QueuedMessage | undefined;

  /** By Telegram itself: whoever has the number now may have every other address too. */
  function noticeOf(sql: Sql, now: Fragment): QueuedMessage | undefined {
    if (!earlier || earlier.blocked_at !== null || !context.delivery.offers('telegram', tenant))
      return undefined;
    const wishes = earlier.language === null ? [] : [earlier.language];
    return context.delivery.queue(sql, {
      tenantId,
      verificationId: null,
      tollsTaken: false,
      content: {
        template: 'chat_moved',
        to: earlier.chat_id,
        channel: 'telegram',
        locale: matchLocale(wishes, messageLocales, tenant.locale),
        tenantName: tenant.name,
        name: null,
        code: null,
        expiresIn: UNDO_SECONDS,
        undoMove: `${UNDO_PREFIX}:${moveId}`,
      },
      now,
      from: sql`moved`,
    });
  }

  return {
    async prepare(sql, joining) {
      const current = joining?.userId && (await findCurrentChat(sql, tenantId, joining.userId));
      earlier = current && current.chat_id !== chatId ? current : undefined;
    },
    chatId,
    isOf: (sql) => isChatOf(sql, tenantId, chatId),
    fragment(sql, now) {
      notice = noticeOf(sql, now);
      const recorded = recordEvent(sql, {
        tenantId,
        id: sql`${context.newId()}::uuid`,
        action: sql`case when moved.id is null then 'chat.linked' else 'chat.moved' end`,
        actor: sql`'user:' || account.id`,
        subject: sql`'telegram_chat:' || linked.chat_id`,
        caller: clues.caller,
        now,
        data: sql`jsonb_build_object('from_chat_id', moved.from_chat_id::text, 'verification_id', proof.id)`,
        from: sql`account, proof, linked left join moved on true where linked.changed`,
      });
      return sql`${linkChat(sql, { tenantId, chatId, moveId, now })},
        recorded_link as (${recorded}),
        ${notice ? sql`notice as (${notice.insert}),` : sql``}`;
    },
    done() {
      if (notice) context.delivery.dispatch(database, notice);
      return { movedFrom: earlier?.chat_id, moveId: earlier && moveId };
    },
  };
}
