import { markBlocked } from '../chats/chats.ts';
import type { Database } from '../db/database.ts';
import { createTelegramBotProvider, type DevelopmentInbox, type Provider } from '../delivery/delivery.ts';
import type { Secrets } from '../kernel/secrets.ts';
import {
  type BotApi,
  botIdOf,
  createBotApi,
  createSimulatedApi,
  type Pace,
  SIMULATED_USERNAME,
} from '../telegram/telegram.ts';
import { type ChangedBy, createTelegramBots, type TelegramBots, type Tenants } from '../tenants/tenants.ts';

/** The bots of this server and the ways to speak through them. */
export interface Bots extends TelegramBots {
  /** Carries codes and notices by the tenants' bots. */
  provider: Provider;
  /** Has the tenant a bot, be it a simulated one? */
  has(tenantId: string): boolean;
  /** How to speak through a tenant's bot; undefined when it has none. Without a token, development simulates one. */
  apiOf(tenantId: string): BotApi | undefined;
  /** Gives a tenant its bot, after asking Telegram whose token it is; one that cannot be asked about now is kept. */
  introduce(
    tenantId: string,
    token: string,
    by: ChangedBy,
  ): Promise<
    { outcome: 'set'; username: string | undefined } | { outcome: 'not_a_token' | 'unknown_token' | 'taken' }
  >;
  /** Does the tenant's bot live in the development inbox, not in Telegram? */
  isSimulated(tenantId: string): boolean;
  /** The bot's name without the @; undefined without a bot, or before Telegram has told it. */
  usernameOf(tenantId: string): string | undefined;
  /** Where people meet the bot: https://t.me/…; undefined without a bot, or before Telegram has told its name. */
  linkOf(tenantId: string): string | undefined;
}

export interface BotsOptions {
  database: Database;
  /** Where a tenant's chats are. */
  databaseOf: (tenantId: string) => Database;
  secrets: Secrets;
  newId: () => string;
  node: string;
  tenants: Tenants;
  /** Of the tenant `default`, by configuration. */
  token: string | undefined;
  apiRoot: string;
  /** Development: tenants without a token get a simulated bot that writes here. */
  inbox: DevelopmentInbox | undefined;
  pace?: Pace | undefined;
}

export function createBots(options: BotsOptions): Bots {
  const { tenants, inbox } = options;
  const store = createTelegramBots({
    ...options,
    configured() {
      const tenant = tenants.bySlug('default');
      return tenant && options.token !== undefined
        ? { tenantId: tenant.id, token: options.token }
        : undefined;
    },
  });
  /** One for each token: its queue keeps the pace for everything that speaks through the bot. */
  const apis = new Map<string, BotApi>();
  const simulated = new Map<string, BotApi>();

  const isSimulated = (tenantId: string): boolean => inbox !== undefined && store.of(tenantId) === undefined;

  function apiOf(tenantId: string): BotApi | undefined {
    const bot = store.of(tenantId);
    if (!bot) return inbox && remember(simulated, tenantId, () => simulate(inbox, tenantId, options.newId));
    return remember(apis, bot.token, () =>
      createBotApi({
        token: bot.token,
        apiRoot: options.apiRoot,
        ...(options.pace ? { pace: options.pace } : {}),
      }),
    );
  }

  const usernameOf = (tenantId: string): string | undefined =>
    isSimulated(tenantId) ? SIMULATED_USERNAME : store.of(tenantId)?.username;

  const provider = createTelegramBotProvider({
    apiOf: (tenantId) => (store.of(tenantId) ? apiOf(tenantId) : undefined),
    hasAny: () => store.all().length > 0,
    onUnreachable: async (tenantId, chatId) => {
      await markBlocked(options.databaseOf(tenantId), { tenantId, chatId, auditId: options.newId() });
    },
  });

  return {
    ...store,
    provider,
    apiOf,
    has: (tenantId) => apiOf(tenantId) !== undefined,
    isSimulated,
    async introduce(tenantId, token, by) {
      if (botIdOf(token) === undefined) return { outcome: 'not_a_token' };
      const me = await createBotApi({ token, apiRoot: options.apiRoot, timeoutMilliseconds: 5000 }).call(
        'getMe',
        {},
      );
      if (!me.ok && (me.status === 401 || me.status === 404)) return { outcome: 'unknown_token' };
      const username = me.ok ? me.result.username : undefined;
      const outcome = await store.set(tenantId, { token, username }, by);
      return outcome === 'set' ? { outcome, username } : { outcome };
    },
    usernameOf,
    linkOf(tenantId) {
      const username = usernameOf(tenantId);
      return username === undefined ? undefined : `https://t.me/${username}`;
    },
  };
}

function remember(apis: Map<string, BotApi>, key: string, make: () => BotApi): BotApi {
  let api = apis.get(key);
  if (!api) {
    api = make();
    apis.set(key, api);
  }
  return api;
}

function simulate(inbox: DevelopmentInbox, tenantId: string, newId: () => string): BotApi {
  return createSimulatedApi(async ({ chatId, text, buttons }) => {
    const message = { id: newId(), tenantId, channel: 'telegram', to: chatId, subject: null, html: null };
    const patience = AbortSignal.timeout(10_000);
    await inbox.send({ ...message, text, code: null, expiresIn: 0, buttons }, patience);
  });
}
