import { BadSetting, setting } from './setting.ts';

/** Reads a bot's token as BotFather gives it; undefined when it is none. */
export function parseBotToken(text: string): string | undefined {
  return /^[1-9]\d{0,15}:[\w-]{20,64}$/.test(text) ? text : undefined;
}

/** Reads where the Bot API is: an address without query, user or slash at its end; undefined when it is none. */
export function parseApiRoot(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) return undefined;
  if (url.username !== '' || url.search !== '' || url.hash !== '') return undefined;
  return url.href.replace(/\/+$/, '');
}

/** The tenant `default`'s client of Telegram's OpenID Connect login. */
export const telegramLoginSettings = {
  telegramLoginClientId: setting({
    name: 'TELEGRAM_LOGIN_CLIENT_ID',
    section: 'delivery',
    description:
      "Signing in at Telegram itself, for the tenant `default`: the Client ID of BotFather (Bot Settings, Web Login). Other tenants': `firstproof tenant telegram-login set`.",
    parse: (text) => {
      if (!isLoginClientId(text)) throw new BadSetting('must be a Client ID of BotFather: a number');
      return text;
    },
  }),
  telegramLoginClientSecret: setting({
    name: 'TELEGRAM_LOGIN_CLIENT_SECRET',
    section: 'delivery',
    description: 'The Client Secret beside it; not the token of the bot.',
    secret: true,
    parse: (text) => {
      if (!isLoginClientSecret(text)) throw new BadSetting('must be the Client Secret of BotFather');
      return text;
    },
  }),
};

/** The client id is the number of the bot. */
export function isLoginClientId(text: string): boolean {
  return /^[1-9]\d{0,15}$/.test(text);
}

/** Printable, without spaces; a bot's token, which stands beside it in BotFather, is taken for none. */
export function isLoginClientSecret(text: string): boolean {
  return /^[!-~]{8,200}$/.test(text) && parseBotToken(text) === undefined;
}

/** What is missing where only one of the two settings is there. */
export function halfTelegramLogin(config: {
  telegramLoginClientId?: string | undefined;
  telegramLoginClientSecret?: string | undefined;
}): { setting: string; message: string } | undefined {
  const { telegramLoginClientId: id, telegramLoginClientSecret: secret } = config;
  if ((id === undefined) === (secret === undefined)) return undefined;
  const { name } =
    telegramLoginSettings[id === undefined ? 'telegramLoginClientId' : 'telegramLoginClientSecret'];
  return { setting: name, message: `${name} is missing: Telegram login needs Client ID and Client Secret.` };
}
