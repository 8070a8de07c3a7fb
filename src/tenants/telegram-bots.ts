import type { Database } from '../db/database.ts';
import { oneAtATime } from '../kernel/one-at-a-time.ts';
import { constantTimeEqual, openText, type Secrets } from '../kernel/secrets.ts';
import { botIdOf } from '../telegram/telegram.ts';
import type { ChangedBy } from './store.ts';
import {
  deleteTelegramBot,
  leaseTelegramBot,
  noteTelegramSetup,
  readTelegramBots,
  releaseTelegramBot,
  upsertTelegramBot,
} from './telegram-bots-store.ts';

/** A tenant's bot as the server runs it. */
export interface TelegramBot {
  tenantId: string;
  botId: string;
  token: string;
  /** Undefined until Telegram has told it. */
  username: string | undefined;
  /** Of what Telegram was last told about it. */
  setupHash: Buffer | undefined;
  /** Does its token stand in the configuration, not in the database? */
  configured: boolean;
}

/** The bots of the deployment, held in memory. Tokens are kept sealed; nothing ever answers with one. */
export interface TelegramBots {
  of(tenantId: string): TelegramBot | undefined;
  all(): readonly TelegramBot[];
  reload(): Promise<void>;
  /** @returns `not_a_token`, or `taken` when another tenant has this bot */
  set(
    tenantId: string,
    bot: { token: string; username: string | undefined },
    by: ChangedBy,
  ): Promise<'set' | 'taken' | 'not_a_token'>;
  /** @returns false when the tenant has none of its own */
  remove(tenantId: string, by: ChangedBy): Promise<boolean>;
  /** What Telegram sends with every update of this bot: 256 bits, made from the token, stored nowhere. */
  webhookSecret(bot: TelegramBot): string;
  isWebhookSecret(bot: TelegramBot | undefined, given: string): boolean;
  /** Makes the row of a bot that the configuration names. False when another tenant has this bot. */
  ensureConfigured(bot: TelegramBot): Promise<boolean>;
  lease(tenantId: string, seconds: number): Promise<boolean>;
  release(tenantId: string): Promise<void>;
  noteSetup(setup: { tenantId: string; username: string; setupHash: Buffer }): Promise<void>;
}

export interface TelegramBotsOptions {
  database: Database;
  secrets: Secrets;
  newId: () => string;
  /** The name under which this server holds leases: a UUID. */
  node: string;
  /** The bot of the configuration and whose it is, once that tenant is known. */
  configured: () => { tenantId: string; token: string } | undefined;
}

export function createTelegramBots(options: TelegramBotsOptions): TelegramBots {
  const { database, secrets, newId, node } = options;
  let bots: ReadonlyMap<string, TelegramBot> = new Map();

  const reload = oneAtATime(async () => {
    const found = new Map<string, TelegramBot>();
    const rows = new Map((await readTelegramBots(database)).map((row) => [row.tenant_id, row]));
    for (const row of rows.values()) {
      if (row.token_sealed === null) continue;
      // One sealed with a secret that is gone is no token: the operator sets it again, the server runs on.
      const token = openText(secrets, row.token_sealed, contextOf(row.tenant_id));
      if (token !== undefined) found.set(row.tenant_id, botOf(row.tenant_id, token, false));
    }
    const configured = options.configured();
    if (configured && !found.has(configured.tenantId)) {
      found.set(configured.tenantId, botOf(configured.tenantId, configured.token, true));
    }
    bots = found;

    function botOf(tenantId: string, token: string, isConfigured: boolean): TelegramBot {
      const botId = botIdOf(token) ?? '';
      const row = rows.get(tenantId);
      const told = row?.bot_id === botId ? row : undefined;
      return {
        tenantId,
        botId,
        token,
        username: told?.username ?? undefined,
        setupHash: told?.setup_hash ?? undefined,
        configured: isConfigured,
      };
    }
  });

  return {
    of: (tenantId) => bots.get(tenantId),
    all: () => [...bots.values()],
    reload,
    async set(tenantId, { token, username }, by) {
      const botId = botIdOf(token);
      if (botId === undefined) return 'not_a_token';
      const tokenSealed = secrets.seal(token, contextOf(tenantId));
      const bot = { tenantId, botId, username: username ?? null, tokenSealed };
      if (!(await upsertTelegramBot(database, bot, { ...by, id: newId() }))) return 'taken';
      await reload();
      return 'set';
    },
    async remove(tenantId, by) {
      const removed = await deleteTelegramBot(database, tenantId, { ...by, id: newId() });
      if (removed) await reload();
      return removed;
    },
    webhookSecret: (bot) => secrets.mac('telegram-webhook', bot.tenantId, bot.token).toString('base64url'),
    isWebhookSecret(bot, given) {
      // Hashed again, so that neither length nor place of the first difference shows; and also where there is no bot.
      const shown = secrets.mac('telegram-webhook', 'given', given);
      const right = secrets
        .macs('telegram-webhook', bot?.tenantId ?? '', bot?.token ?? '')
        .map((mac) =>
          constantTimeEqual(secrets.mac('telegram-webhook', 'given', mac.toString('base64url')), shown),
        );
      return bot !== undefined && right.includes(true);
    },
    ensureConfigured: (bot) =>
      upsertTelegramBot(
        database,
        { tenantId: bot.tenantId, botId: bot.botId, username: null, tokenSealed: null },
        { actor: 'system', caller: undefined, id: newId() },
      ),
    lease: (tenantId, seconds) => leaseTelegramBot(database, { tenantId, node, seconds }),
    release: (tenantId) => releaseTelegramBot(database, tenantId, node),
    noteSetup: (setup) => noteTelegramSetup(database, setup),
  };
}

function contextOf(tenantId: string): string {
  return `telegram-bot:${tenantId}`;
}
