import type {
  InlineKeyboardButton,
  MessageEntity,
  ReplyKeyboardMarkup,
  ReplyKeyboardRemove,
} from 'grammy/types';
import type { Caller } from '../audit/audit.ts';
import type { ChatRow } from '../chats/chats.ts';
import type { Database } from '../db/database.ts';
import type { Log } from '../kernel/log.ts';
import { type RequestClues, type SignInContext, telegramBucket } from '../signin/context.ts';
import type { ApiAnswer, BotApi } from '../telegram/telegram.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { findHolder } from '../users/users.ts';
import type { BotWords } from './words.ts';

/** What every command works with. */
export interface BotContext {
  signIn: SignInContext;
  newId: () => string;
  log: Log;
}

export interface SayOptions {
  /** Rows of buttons under the message. */
  buttons?: InlineKeyboardButton[][];
  /** A keyboard in place of the person's own, such as one that asks for the contact; or its removal. */
  keyboard?: ReplyKeyboardMarkup | ReplyKeyboardRemove;
  /** Not to be forwarded or saved: for what opens an account. */
  secret?: boolean;
  entities?: MessageEntity[];
}

/** One person in one private chat with one tenant's bot, about one update. */
export interface Conversation {
  context: BotContext;
  tenant: Tenant;
  database: Database;
  chat: ChatRow;
  words: BotWords;
  locale: string;
  clues: RequestClues;
  /** Answers; returns at once. Telegram gets it at its own pace, and a Telegram that is away holds nothing up. */
  say(text: string, options?: SayOptions): void;
  /** After a button: changes the message it was under. After anything else: answers. */
  change(text: string, options?: Pick<SayOptions, 'buttons' | 'entities'>): void;
}

export interface ConversationOptions {
  context: BotContext;
  tenant: Tenant;
  chat: ChatRow;
  words: BotWords;
  locale: string;
  api: BotApi;
  /** The message whose button was pressed. */
  pressedMessageId: number | undefined;
  /** Told of each answer under way, so that a stop can wait for it. */
  onReply: (reply: Promise<unknown>) => void;
}

export function createConversation(options: ConversationOptions): Conversation {
  const { context, tenant, chat, api, pressedMessageId } = options;
  const chatId = Number(chat.chat_id);
  const say: Conversation['say'] = (text, { buttons, keyboard, secret, entities } = {}) => {
    const markup = buttons ? { inline_keyboard: buttons } : keyboard;
    const sent = api.call(
      'sendMessage',
      {
        chat_id: chatId,
        text,
        ...(markup ? { reply_markup: markup } : {}),
        ...(secret ? { protect_content: true } : {}),
        ...(entities ? { entities } : {}),
        link_preview_options: { is_disabled: true },
      },
      { patient: true },
    );
    options.onReply(sent.then((answer) => noteFailure(context, tenant, answer)));
  };
  return {
    context,
    tenant,
    chat,
    words: options.words,
    locale: options.locale,
    database: context.signIn.databaseOf(tenant.id),
    clues: cluesOf(tenant, chat),
    say,
    change(text, { buttons = [], entities } = {}) {
      if (pressedMessageId === undefined) return say(text, { buttons, ...(entities ? { entities } : {}) });
      const changed = api.call(
        'editMessageText',
        {
          chat_id: chatId,
          message_id: pressedMessageId,
          text,
          reply_markup: { inline_keyboard: buttons },
          ...(entities ? { entities } : {}),
        },
        { patient: true },
      );
      options.onReply(changed.then((answer) => noteFailure(context, tenant, answer)));
    },
  };
}

export function callerInTelegram(tenant: Tenant, telegramUserId: string): Caller {
  return { ip: '', bucket: telegramBucket(tenant.id, telegramUserId), userAgent: 'Telegram' };
}

function cluesOf(tenant: Tenant, chat: ChatRow): RequestClues {
  return {
    caller: callerInTelegram(tenant, chat.telegram_user_id),
    tenantHeader: tenant.slug,
    host: undefined,
    acceptLanguage: undefined,
  };
}

function noteFailure({ log }: BotContext, tenant: Tenant, answer: ApiAnswer<unknown>): void {
  // An unchanged message is what was wanted; a person who has blocked the bot is told of by Telegram itself.
  if (answer.ok || answer.status === 403 || /not modified/.test(answer.description)) return;
  log.warn(
    { event: 'bot_reply_failed', tenant: tenant.slug, status: answer.status },
    'an answer of the bot did not go out',
  );
}

/** The account this chat acts for: the one it was linked to, else the one that its Telegram account signs in. */
export async function accountOf({ chat, tenant, database }: Conversation): Promise<string | undefined> {
  const address = { kind: 'telegram', value: chat.telegram_user_id };
  return chat.user_id ?? (await findHolder(database, tenant.id, address))?.user_id;
}
