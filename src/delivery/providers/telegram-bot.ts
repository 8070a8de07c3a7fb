import type { InlineKeyboardButton } from 'grammy/types';
import type { ApiAnswer, BotApi } from '../../telegram/telegram.ts';
import type { Envelope, Provider, SendResult } from '../provider.ts';

export interface TelegramBotOptions {
  /** The bot of a tenant; undefined when it has none in Telegram. */
  apiOf: (tenantId: string) => BotApi | undefined;
  /** Has any tenant one? */
  hasAny: () => boolean;
  /** The person has stopped the bot, or never met it: nothing reaches this chat until they come back. */
  onUnreachable: (tenantId: string, chatId: string) => Promise<void>;
}

/** A pause of the bot up to this long is waited for in its queue; a longer one hands the message back. */
const LONGEST_PAUSE_SECONDS = 5;

/**
 * Codes and notices as messages of the tenant's bot, at the bot's own pace. A chat that cannot be reached is remembered
 * with the chat, not as a suppressed address: it is open again the moment the person comes back.
 */
export function createTelegramBotProvider(options: TelegramBotOptions): Provider {
  return {
    name: 'telegram-bot',
    carries: (channel, tenantId) =>
      channel === 'telegram' &&
      (tenantId === undefined ? options.hasAny() : options.apiOf(tenantId) !== undefined),
    async send(envelope, signal): Promise<SendResult> {
      const api = options.apiOf(envelope.tenantId);
      if (!api) return { state: 'refused', error: 'telegram no bot' };
      for (;;) {
        const answer = await api.call('sendMessage', messageOf(envelope), {
          signal,
          longestPauseSeconds: LONGEST_PAUSE_SECONDS,
        });
        const retryAfter = answer.ok ? undefined : answer.retryAfterSeconds;
        // Its own 429: once more when the bot's pause is over, in its place of the queue.
        if (retryAfter !== undefined && retryAfter <= LONGEST_PAUSE_SECONDS && !signal.aborted) continue;
        const result = resultOf(answer);
        if (isUnreachable(answer)) await options.onUnreachable(envelope.tenantId, envelope.to);
        return result;
      }
    },
  };
}

/** A code has a button that copies it. Messages of the bot are not to be forwarded: they open accounts. */
function messageOf({ to, text, code, buttons = [] }: Envelope) {
  const copy = code === null ? undefined : { text: `📋 ${code}`, copy_text: { text: code } };
  const rows = [...(copy ? [[copy]] : []), ...(buttons as InlineKeyboardButton[][])];
  return {
    chat_id: Number(to),
    text,
    protect_content: true,
    link_preview_options: { is_disabled: true },
    ...(rows.length > 0 ? { reply_markup: { inline_keyboard: rows } } : {}),
  };
}

/** What an answer of sendMessage means (core.telegram.org/bots/api#making-requests). */
function resultOf(answer: ApiAnswer<{ message_id: number }>): SendResult {
  if (answer.ok) return { state: 'sent', providerMessageId: String(answer.result.message_id) };
  const error = `telegram ${answer.status}`;
  if (answer.status === 429) {
    // This bot's pause, not that of every tenant's.
    return { state: 'retry', error, notBeforeSeconds: answer.retryAfterSeconds ?? 1 };
  }
  if (answer.status === 0 || answer.status >= 500) return { state: 'retry', error };
  // The token was revoked, or is another's.
  if (answer.status === 401 || answer.status === 404) return { state: 'refused', error, remedy: 'alarm' };
  return { state: 'refused', error };
}

function isUnreachable(answer: ApiAnswer<unknown>): boolean {
  if (answer.ok) return false;
  return (
    answer.status === 403 ||
    (answer.status === 400 && /chat not found|user not found|PEER_ID_INVALID/i.test(answer.description))
  );
}
