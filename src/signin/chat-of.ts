import { findChat, findChatOfUser } from '../chats/chats.ts';
import type { ChatOf, LinkedChat } from '../delivery/delivery.ts';
import { findHolder, findUser } from '../users/users.ts';

/**
 * The open Telegram chat of whoever has an address: the one their account was linked to, else that of the Telegram
 * account they sign in with. Asked when a message leaves, so that no answer tells whether somebody has a chat.
 *
 * A chat that was linked by a number is stale when that was proved there too long ago (C7): no other one stands in.
 */
export const chatOfAddress: ChatOf = async (database, tenantId, { kind, value }, freshDays) => {
  if (kind === 'telegram') return openChat(await findChat(database, tenantId, value));
  const userId = (await findHolder(database, tenantId, { kind, value }))?.user_id;
  if (userId === undefined) return null;
  const linked = await findChatOfUser(database, tenantId, userId);
  if (linked) {
    return { chatId: linked.chat_id, isStale: freshDays !== null && linked.proved_days_ago >= freshDays };
  }
  const user = await findUser(database, tenantId, userId);
  const account = user?.identities.find((identity) => identity.kind === 'telegram');
  return account ? openChat(await findChat(database, tenantId, account.value)) : null;
};

function openChat(chat: { chat_id: string; blocked_at: Date | null } | undefined): LinkedChat | null {
  return chat === undefined || chat.blocked_at !== null ? null : { chatId: chat.chat_id, isStale: false };
}
