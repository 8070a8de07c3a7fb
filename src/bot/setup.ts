import { createHash } from 'node:crypto';
import type { ApiAnswer, BotApi } from '../telegram/telegram.ts';
import type { TelegramBot } from '../tenants/tenants.ts';
import type { FeatureTable } from './features.ts';
import { botLocales, wordsOf } from './words.ts';

/** Updates the router has a use for; Telegram keeps the others. */
export const ALLOWED_UPDATES = ['message', 'callback_query', 'my_chat_member'] as const;

export interface SetUp {
  bot: TelegramBot;
  api: BotApi;
  table: FeatureTable;
  /** Where and with what secret Telegram is to bring updates; undefined: they are fetched. */
  webhook: { url: string; secret: string } | undefined;
  signal: AbortSignal;
}

export type SetUpOutcome =
  | { ok: true; username: string; setupHash: Buffer }
  | { ok: false; status: number; retryAfterSeconds?: number };

/**
 * Tells Telegram about the bot: where updates go, its commands and descriptions in each language. What it was told
 * before is not told again, as Telegram counts these calls strictly; the webhook is, as another program may have moved it.
 */
export async function setUp({ bot, api, table, webhook, signal }: SetUp): Promise<SetUpOutcome> {
  const me = await api.call('getMe', {}, { signal });
  if (!me.ok) return failed(me);
  const { username } = me.result;
  const placed = webhook
    ? await api.call(
        'setWebhook',
        {
          url: webhook.url,
          secret_token: webhook.secret,
          allowed_updates: ALLOWED_UPDATES,
          max_connections: 40,
        },
        { signal },
      )
    : await api.call('deleteWebhook', {}, { signal });
  if (!placed.ok) return failed(placed);
  const words = botLocales.map((locale) => ({
    locale,
    commands: [...table.commands.values()].flatMap(({ name, description }) =>
      description ? [{ command: name, description: description(wordsOf(locale), locale) }] : [],
    ),
    description: wordsOf(locale).description,
    shortDescription: wordsOf(locale).shortDescription,
  }));
  const setupHash = createHash('sha256').update(JSON.stringify(words)).digest();
  if (bot.setupHash?.equals(setupHash)) return { ok: true, username, setupHash };
  for (const { locale, commands, description, shortDescription } of words) {
    // English also stands for every language the bot does not speak.
    const languages = locale === 'en' ? [{}] : [{ language_code: locale as 'ru' }];
    for (const language of languages) {
      const answers = [
        await api.call(
          'setMyCommands',
          { commands, scope: { type: 'all_private_chats' }, ...language },
          { signal },
        ),
        await api.call('setMyDescription', { description, ...language }, { signal }),
        await api.call(
          'setMyShortDescription',
          { short_description: shortDescription, ...language },
          { signal },
        ),
      ];
      const refused = answers.find((answer) => !answer.ok);
      if (refused && !refused.ok) return failed(refused);
    }
  }
  return { ok: true, username, setupHash };
}

function failed(answer: Extract<ApiAnswer<unknown>, { ok: false }>): SetUpOutcome {
  const { status, retryAfterSeconds } = answer;
  return { ok: false, status, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}
