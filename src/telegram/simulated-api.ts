import type { InlineKeyboardMarkup } from 'grammy/types';
import type { ApiAnswer, BotApi } from './bot-api.ts';

/** Telegram allows no name with two underscores in a row: nobody can ever own this one. */
export const SIMULATED_USERNAME = 'firstproof__simulated_bot';

/** What the bot wrote, as the development inbox keeps it. */
export interface SimulatedMessage {
  chatId: string;
  text: string;
  buttons: unknown[][];
}

/**
 * A Bot API without Telegram, for development: what the bot writes is handed to `deliver`, everything else succeeds.
 * A message that is edited is written anew, so that the inbox shows each step.
 */
export function createSimulatedApi(deliver: (message: SimulatedMessage) => Promise<void>): BotApi {
  let lastMessageId = 0;

  async function answer(method: string, given: Record<string, unknown>): Promise<unknown> {
    switch (method) {
      case 'getMe':
        return { id: 1, is_bot: true, first_name: 'Firstproof', username: SIMULATED_USERNAME };
      case 'getUpdates':
        return [];
      case 'sendMessage':
      case 'editMessageText': {
        const chatId = String(given['chat_id']);
        const markup = given['reply_markup'] as
          | (InlineKeyboardMarkup & { keyboard?: unknown[][] })
          | undefined;
        const buttons = markup?.inline_keyboard ?? markup?.keyboard ?? [];
        await deliver({ chatId, text: String(given['text']), buttons });
        return { message_id: ++lastMessageId, date: 0, chat: { id: Number(chatId), type: 'private' } };
      }
      default:
        return true;
    }
  }

  return {
    pausedFor: () => 0,
    async call(method, parameters) {
      const result = await answer(method, parameters);
      return { ok: true, result } as ApiAnswer<never>;
    },
  };
}
