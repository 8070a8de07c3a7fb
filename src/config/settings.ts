import { parseApiRoot, parseBotToken, telegramLoginSettings } from './telegram-settings.ts';
import { challengeSettings } from './challenge-settings.ts';
import { providerSettings } from './provider-settings.ts';
import { BadSetting, type Setting, setting } from './setting.ts';
import {
  cidrs,
  databaseUrl,
  mailSender,
  namedDatabases,
  oneOf,
  port,
  publicUrl,
  required,
  secretList,
  smtpServer,
  wholeNumber,
} from './setting-readers.ts';

export { BadSetting, type Setting };

/** Every setting of the server. docs/reference/configuration.md is written from this table. */
export const settings = {
  mode: setting({
    name: 'FIRSTPROOF_MODE',
    section: 'server',
    description: '`development` (embedded database, inbox, no accounts needed) or `production`.',
    default: 'production',
    parse: oneOf(['development', 'production']),
  }),
  host: setting({
    name: 'HOST',
    section: 'server',
    description: 'Address to listen on. Development listens on 127.0.0.1 unless told otherwise.',
    default: '0.0.0.0',
    parse: (text) => text,
  }),
  port: setting({
    name: 'PORT',
    section: 'server',
    description: 'Port to listen on.',
    default: '3000',
    parse: port,
  }),
  managementPort: setting({
    name: 'FIRSTPROOF_MANAGEMENT_PORT',
    section: 'server',
    description: 'A second port for `/metrics` and health, kept away from the public. Unset: none is opened.',
    parse: port,
  }),
  publicUrl: setting({
    name: 'FIRSTPROOF_PUBLIC_URL',
    section: 'server',
    description:
      'The address people reach this server by. Links and token issuers come from it alone, never from a request. Required in production.',
    parse: publicUrl,
  }),
  dataDirectory: setting({
    name: 'FIRSTPROOF_DATA_DIR',
    section: 'server',
    description: 'Folder of the embedded database and of what development mode keeps.',
    default: './data',
    parse: (text) => text,
  }),
  databaseUrl: setting({
    name: 'DATABASE_URL',
    section: 'database',
    description: 'An outside PostgreSQL 15 or newer. Unset: the embedded PostgreSQL in the data folder.',
    secret: true,
    parse: databaseUrl,
  }),
  databases: setting({
    name: 'FIRSTPROOF_DATABASES',
    section: 'database',
    description: 'Databases of markets that keep their rows apart: `us=postgres://…,uz=postgres://…`.',
    secret: true,
    parse: namedDatabases,
  }),
  databaseConnections: setting({
    name: 'FIRSTPROOF_DATABASE_CONNECTIONS',
    section: 'database',
    description: 'Open connections per database and server process, at most.',
    default: '12',
    parse: wholeNumber(1, 500),
  }),
  databasePrepare: setting({
    name: 'FIRSTPROOF_DATABASE_PREPARE',
    section: 'database',
    description: '`false` behind a PgBouncer older than 1.21 in transaction mode.',
    default: 'true',
    parse: (text) => oneOf(['true', 'false'])(text) === 'true',
  }),
  unsafeDurability: setting({
    name: 'FIRSTPROOF_ALLOW_UNSAFE_DURABILITY',
    section: 'database',
    description:
      '`true` starts although the database has fsync, full_page_writes or synchronous_commit off: acknowledged sign-ups may then be lost.',
    default: 'false',
    parse: (text) => oneOf(['true', 'false'])(text) === 'true',
  }),
  secrets: setting({
    name: 'FIRSTPROOF_SECRET',
    section: 'security',
    description:
      'At least 32 random bytes (`openssl rand -base64 48`); several, comma-separated, to rotate: the first makes, the others still open. Required in production.',
    secret: true,
    parse: secretList,
  }),
  trustedProxies: setting({
    name: 'FIRSTPROOF_TRUSTED_PROXIES',
    section: 'security',
    description: 'CIDRs of the proxies whose `X-Forwarded-For` is believed, comma-separated. Unset: nobody.',
    default: '',
    parse: cidrs,
  }),
  smtpUrl: setting({
    name: 'SMTP_URL',
    section: 'delivery',
    description:
      'The mail server: `smtps://user:password@host:465`, or `smtp://user:password@host:587` (STARTTLS is required; `?tls=off` only for a server on the same machine or network). Unset: e-mail is unavailable in production and stays in the inbox in development.',
    secret: true,
    parse: smtpServer,
  }),
  smtpFrom: setting({
    name: 'SMTP_FROM',
    section: 'delivery',
    description:
      "The sender of e-mails: `no-reply@auth.example.com`. Each tenant's name stands before it. Required with `SMTP_URL`.",
    parse: mailSender,
  }),
  telegramBotToken: setting({
    name: 'TELEGRAM_BOT_TOKEN',
    section: 'delivery',
    description:
      "The Telegram bot of the tenant `default`, as BotFather gives it; other tenants' bots: `firstproof tenant bot set`. Unset: no bot in production, a simulated one in development.",
    secret: true,
    parse: required(parseBotToken, 'must be a token of BotFather, such as 123456789:AAF…'),
  }),
  telegramApiRoot: setting({
    name: 'TELEGRAM_API_ROOT',
    section: 'delivery',
    description: 'Where the Telegram Bot API is; another address for a Bot API server of your own.',
    default: 'https://api.telegram.org',
    parse: required(parseApiRoot, 'must be an http or https address without user, query or fragment'),
  }),
  telegramUpdates: setting({
    name: 'TELEGRAM_UPDATES',
    section: 'delivery',
    description:
      '`webhook`: Telegram brings what people write, to `FIRSTPROOF_PUBLIC_URL` (https, port 443, 80, 88 or 8443). `polling`: one server fetches it; needs no public address. `auto`: polling in development, webhook in production.',
    default: 'auto',
    parse: oneOf(['auto', 'polling', 'webhook']),
  }),
  ...telegramLoginSettings,
  ...providerSettings,
  ...challengeSettings,
  budgets: setting({
    name: 'FIRSTPROOF_BUDGETS',
    section: 'limits',
    description:
      '`relaxed` multiplies the budgets of sends and callers by 1,000 for load programs; refused in production. Wrong codes never relax.',
    default: 'normal',
    parse: oneOf(['normal', 'relaxed']),
  }),
  sendsPerCallerPerHour: setting({
    name: 'FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR',
    section: 'limits',
    description: 'Codes one caller (an IPv4 address, an IPv6 /64) may have sent in an hour.',
    default: '30',
    parse: wholeNumber(1, 1_000_000),
  }),
  sendCooldownSeconds: setting({
    name: 'FIRSTPROOF_SEND_COOLDOWN_SECONDS',
    section: 'limits',
    description: 'Seconds between two codes to one address, until the code is used.',
    default: '60',
    parse: wholeNumber(1, 3600),
  }),
  sendsPerAddressPerTenMinutes: setting({
    name: 'FIRSTPROOF_SENDS_PER_ADDRESS_PER_10_MINUTES',
    section: 'limits',
    description: 'Codes one address may get in ten minutes.',
    default: '5',
    parse: wholeNumber(1, 1000),
  }),
  sendsPerAddressPerDay: setting({
    name: 'FIRSTPROOF_SENDS_PER_ADDRESS_PER_DAY',
    section: 'limits',
    description: 'Codes one address may get in a day.',
    default: '20',
    parse: wholeNumber(1, 1000),
  }),
  wrongCodesPerHour: setting({
    name: 'FIRSTPROOF_WRONG_CODES_PER_HOUR',
    section: 'limits',
    description:
      'Wrong codes for one address in an hour, over all its codes and channels. Can be lowered, not raised.',
    default: '10',
    parse: wholeNumber(1, 10),
  }),
  wrongCodesPerDay: setting({
    name: 'FIRSTPROOF_WRONG_CODES_PER_DAY',
    section: 'limits',
    description: 'Wrong codes for one address in a day. Can be lowered, not raised.',
    default: '20',
    parse: wholeNumber(1, 20),
  }),
  wrongPasswordsPerHour: setting({
    name: 'FIRSTPROOF_WRONG_PASSWORDS_PER_HOUR',
    section: 'limits',
    description: 'Wrong passwords for one identity in an hour. Can be lowered, not raised.',
    default: '10',
    parse: wholeNumber(1, 10),
  }),
  wrongPasswordsPerCallerPerHour: setting({
    name: 'FIRSTPROOF_WRONG_PASSWORDS_PER_CALLER_PER_HOUR',
    section: 'limits',
    description: 'Wrong passwords one caller may type in an hour, over all identities.',
    default: '100',
    parse: wholeNumber(1, 1_000_000),
  }),
  explicitAnswersPerCallerPerHour: setting({
    name: 'FIRSTPROOF_EXPLICIT_ANSWERS_PER_CALLER_PER_HOUR',
    section: 'limits',
    description:
      'Answers that tell one caller in an hour whether an address has an account, where the tenant allows them at all; after that they are uniform.',
    default: '10',
    parse: wholeNumber(0, 1_000_000),
  }),
  longestQueueMilliseconds: setting({
    name: 'FIRSTPROOF_LONGEST_QUEUE_MILLISECONDS',
    section: 'limits',
    description:
      'While sends or sign-ins wait longer than this for their turn in the database, or the process itself is twice as far behind, further requests are answered `OVERLOADED` (503 with `Retry-After`) at once. Session checks are always answered.',
    default: '500',
    parse: wholeNumber(50, 60_000),
  }),
  logLevel: setting({
    name: 'FIRSTPROOF_LOG_LEVEL',
    section: 'logging',
    description: '`debug` (a line a request), `info`, `warn`, `error` or `silent`.',
    default: 'info',
    parse: oneOf(['debug', 'info', 'warn', 'error', 'silent']),
  }),
} as const satisfies Record<string, Setting<unknown>>;
