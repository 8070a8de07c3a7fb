import type { CallbackQuery, ChatMemberUpdated, Message, Update, User } from 'grammy/types';
import { leaseUpdate, markBlocked, rememberChat, settleUpdate } from '../chats/chats.ts';
import { SUPPORTED_LOCALES, matchLocale } from '../kernel/locale.ts';
import type { BotApi } from '../telegram/telegram.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { type BotContext, callerInTelegram, type Conversation, createConversation } from './conversation.ts';
import type { FeatureTable } from './features.ts';
import { wordsOf } from './words.ts';

/** `later`: somebody else is at it, or it could not be handled now; Telegram is to bring it again. */
export type Handled = 'done' | 'later';

export interface Router {
  handle(tenant: Tenant, api: BotApi, update: Update): Promise<Handled>;
}

const LEASE_SECONDS = 30;
const MOST_ATTEMPTS = 5;
/** What one person may ask of a bot in a minute; beyond it updates are taken and not answered. */
const UPDATES_PER_MINUTE = 60;

/** What a person puts into a message, by the Bot API. */
const WRITTEN = [
  'text',
  'contact',
  'animation',
  'audio',
  'checklist',
  'dice',
  'document',
  'game',
  'location',
  'paid_media',
  'photo',
  'poll',
  'sticker',
  'story',
  'venue',
  'video',
  'video_note',
  'voice',
] as const satisfies (keyof Message)[];

export function createRouter(
  context: BotContext,
  table: FeatureTable,
  onReply: (reply: Promise<unknown>) => void,
  /** What the tenant's bot is called in Telegram, where that is known. */
  nameOf: (tenantId: string) => string | undefined,
): Router {
  const { signIn, log } = context;

  /** One effect for each update, however often it comes (S09). A crash in the middle lets it be handled again. */
  async function handle(tenant: Tenant, api: BotApi, update: Update): Promise<Handled> {
    const database = signIn.databaseOf(tenant.id);
    const key = { tenantId: tenant.id, updateId: update.update_id };
    const lease = await leaseUpdate(database, {
      ...key,
      leaseSeconds: LEASE_SECONDS,
      mostAttempts: MOST_ATTEMPTS,
    });
    if (lease !== 'taken') return lease === 'done' ? 'done' : 'later';
    try {
      await route(tenant, api, update);
      await settleUpdate(database, { ...key, done: true });
      return 'done';
    } catch (error) {
      log.error(
        { event: 'update_failed', tenant: tenant.slug, error },
        'an update of Telegram was not handled',
      );
      await settleUpdate(database, { ...key, done: false }).catch(() => {});
      return 'later';
    }
  }

  async function route(tenant: Tenant, api: BotApi, update: Update): Promise<void> {
    if (update.my_chat_member) return noteMembership(tenant, update.my_chat_member);
    if (update.callback_query) return press(tenant, api, update.callback_query);
    if (update.message) return hear(tenant, api, update.message);
    // Channels, edits, business connections and whatever Telegram adds: not for this bot.
  }

  async function noteMembership(tenant: Tenant, change: ChatMemberUpdated): Promise<void> {
    if (change.chat.type !== 'private' || change.chat.id !== change.from.id) return;
    const chatId = String(change.chat.id);
    if (change.new_chat_member.status === 'kicked') {
      const query = { tenantId: tenant.id, chatId, auditId: context.newId() };
      await markBlocked(signIn.databaseOf(tenant.id), query);
    } else {
      await remember(tenant, change.from);
    }
  }

  async function hear(tenant: Tenant, api: BotApi, message: Message): Promise<void> {
    const { from, chat } = message;
    if (chat.type !== 'private') return turnAway(tenant, api, message);
    // A business connection, a channel or another bot speaking here is not the person whose chat it is.
    if (!from || from.is_bot || from.id !== chat.id || message.sender_chat || message.business_connection_id)
      return;
    const conversation = await begin(tenant, api, from, undefined);
    // What Telegram itself notes in a chat (something pinned, a Mini App that may write) is no word of the person's.
    if (!conversation || !WRITTEN.some((kind) => message[kind] !== undefined)) return;
    if (message.contact) {
      return table.contact
        ? table.contact(conversation, message)
        : conversation.say(conversation.words.unknown);
    }
    const { text } = message;
    // What somebody else wrote is no wish of this person, however it reads.
    if (text === undefined || message.forward_origin || message.via_bot) {
      return conversation.say(conversation.words.unknown);
    }
    await obey(conversation, text);
  }

  async function obey(conversation: Conversation, text: string): Promise<void> {
    const command = /^\/([a-z0-9_]{1,32})(?:@\w+)?(?:\s+([\s\S]*))?$/i.exec(text.trim());
    if (!command) {
      const taker = table.texts.find((one) => one.takes(text.trim(), conversation));
      return taker ? taker.handle(conversation, text.trim()) : conversation.say(conversation.words.unknown);
    }
    const name = (command[1] ?? '').toLowerCase();
    const argument = (command[2] ?? '').trim();
    if (name === 'start' && argument !== '') {
      const payload = /^[\w-]{1,64}$/.test(argument) ? argument : undefined;
      const taker = payload && table.startPayloads.find(({ prefix }) => payload.startsWith(prefix));
      // The same words whether it never was one, has ended or is another's: no hint whose it was (S11).
      return taker && payload
        ? taker.handle(conversation, payload)
        : conversation.say(conversation.words.start.unknownLink);
    }
    const known = table.commands.get(name);
    return known ? known.handle(conversation, argument) : conversation.say(conversation.words.unknown);
  }

  async function press(tenant: Tenant, api: BotApi, query: CallbackQuery): Promise<void> {
    const { from, message, data } = query;
    // Stops the button's spinner; nobody waits for it.
    onReply(api.call('answerCallbackQuery', { callback_query_id: query.id }));
    if (!message || message.chat.type !== 'private' || message.chat.id !== from.id || from.is_bot) return;
    const [prefix = '', ...rest] = (data ?? '').split(':');
    const callback = table.callbacks.get(prefix);
    const conversation = callback && (await begin(tenant, api, from, message.message_id));
    if (callback && conversation) await callback.handle(conversation, rest.join(':'));
  }

  /** In a group, whoever addresses the bot is told where it speaks. Channels and everything else get silence. */
  async function turnAway(tenant: Tenant, api: BotApi, message: Message): Promise<void> {
    const [isCommand, addressee] = /^\/\w+(?:@(\w+))?/.exec(message.text ?? '') ?? [];
    const isOthers = addressee !== undefined && addressee.toLowerCase() !== nameOf(tenant.id)?.toLowerCase();
    if (message.chat.type === 'channel' || isOthers || !message.from) return;
    if (isCommand === undefined && message.contact === undefined) return;
    const taken = await signIn.buckets.take(`bot-group:${tenant.id}:${message.chat.id}`, 5, 60);
    if (!taken.allowed) return;
    const { words } = languageOf(message.from.language_code, tenant);
    onReply(
      api.call('sendMessage', { chat_id: message.chat.id, text: words.privateOnly }, { patient: true }),
    );
  }

  async function begin(
    tenant: Tenant,
    api: BotApi,
    from: User,
    pressedMessageId: number | undefined,
  ): Promise<Conversation | undefined> {
    const taken = await signIn.buckets.take(`bot:${tenant.id}:${from.id}`, UPDATES_PER_MINUTE, 60);
    if (!taken.allowed) return undefined;
    const chat = await remember(tenant, from);
    const { locale, words } = languageOf(chat.language ?? undefined, tenant);
    return createConversation({ context, tenant, chat, words, locale, api, pressedMessageId, onReply });
  }

  function remember(tenant: Tenant, from: User) {
    const id = String(from.id);
    return rememberChat(signIn.databaseOf(tenant.id), {
      tenantId: tenant.id,
      chatId: id,
      telegramUserId: id,
      firstName: display(from.first_name),
      lastName: display(from.last_name),
      username: display(from.username),
      language: from.language_code?.slice(0, 35) ?? null,
      auditId: context.newId(),
      caller: callerInTelegram(tenant, id),
    });
  }

  return { handle };
}

function languageOf(code: string | undefined, tenant: Tenant) {
  const locale = matchLocale(code, SUPPORTED_LOCALES, tenant.locale);
  return { locale, words: wordsOf(locale) };
}

/** A name as we keep it: without what could turn a line around or break it; null where nothing is left. */
function display(name: string | undefined): string | null {
  const text = (name ?? '')
    // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '')
    .trim()
    .slice(0, 100)
    .toWellFormed();
  return text === '' ? null : text;
}
