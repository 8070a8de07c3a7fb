import { findChat, findChatOfUser } from '../chats/chats.ts';
import type { ChatOf } from '../delivery/delivery.ts';
import { findHolder, findUser } from '../users/users.ts';

/**
 * The open Telegram chat of whoever has an address: the one their account was linked to, else that of the Telegram
 * account they sign in with. Asked when a message leaves, so that no answer tells whether somebody has a chat.
 */
export const chatOfAddress: ChatOf = async (database, tenantId, { kind, value }) => {
  if (kind === 'telegram') return openChat(await findChat(database, tenantId, value));
  const userId = (await findHolder(database, tenantId, { kind, value }))?.user_id;
  if (userId === undefined) return null;
  const linked = openChat(await findChatOfUser(database, tenantId, userId));
  if (linked !== null) return linked;
  const user = await findUser(database, tenantId, userId);
  const account = user?.identities.find((identity) => identity.kind === 'telegram');
  return account ? openChat(await findChat(database, tenantId, account.value)) : null;
};

function openChat(chat: { chat_id: string; blocked_at: Date | null } | undefined): string | null {
  return chat === undefined || chat.blocked_at !== null ? null : chat.chat_id;
}
