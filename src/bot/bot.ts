import type { Update } from 'grammy/types';
import type { FastifyInstance } from 'fastify';
import type { Log } from '../kernel/log.ts';
import type { SignInContext } from '../signin/context.ts';
import type { Tenant, Tenants } from '../tenants/tenants.ts';
import { type Bots, createBots } from './bots.ts';
import { authFeature } from './auth-command.ts';
import { secondProofFeature } from './second-proof.ts';
import { developmentRoute } from './development.ts';
import { devicesFeature } from './devices-command.ts';
import { type Feature, tableOf } from './features.ts';
import { helpFeature } from './help-command.ts';
import { logoutFeature } from './logout-command.ts';
import { nameFeature } from './name-command.ts';
import { createRouter, type Handled } from './router.ts';
import { createRunner } from './runner.ts';
import { signInLinkFeature } from './sign-in-link.ts';
import { startFeature } from './start-command.ts';
import { verifyFeature } from './verify-command.ts';
import { webhookRoute } from './webhook.ts';

export { type Bots, createBots };

/** What the bot can do, in the order in which its commands are listed. A new feature is a file and a line here. */
const FEATURES: readonly Feature[] = [
  startFeature,
  authFeature,
  secondProofFeature,
  verifyFeature,
  devicesFeature,
  nameFeature,
  logoutFeature,
  helpFeature,
  signInLinkFeature,
];

export interface BotOptions {
  bots: Bots;
  tenants: Tenants;
  signIn: SignInContext;
  server: FastifyInstance;
  /** `auto`: a developer's machine cannot be reached by Telegram; a server in production can. */
  updates: 'auto' | 'polling' | 'webhook';
  publicUrl: string;
  development: boolean;
  newId: () => string;
  random: () => number;
  log: Log;
}

/** The Telegram bots of every tenant that has one. */
export interface Bot {
  /** Connects the bots to Telegram, beside the requests; follows tokens that are set, changed and removed. */
  start(): Promise<void>;
  /** Takes no more updates; waits a little for answers under way. */
  stop(): Promise<void>;
}

const REPLIES_AT_STOP_MILLISECONDS = 3000;

export function createBot(options: BotOptions): Bot {
  const { bots, tenants, signIn, newId, log } = options;
  const table = tableOf(FEATURES);
  const replies = new Set<Promise<unknown>>();
  const track = (reply: Promise<unknown>): void => {
    const tracked = reply.finally(() => replies.delete(tracked));
    replies.add(tracked);
  };
  const router = createRouter({ signIn, newId, log }, table, track, bots.usernameOf);
  const receive = (tenant: Tenant, update: Update): Promise<Handled> => {
    const api = bots.apiOf(tenant.id);
    return api ? router.handle(tenant, api, update) : Promise.resolve('done');
  };
  webhookRoute(options.server, { bots, tenants, receive });
  if (options.development) {
    // Whoever tries it out wants to see the answers at once.
    const settled = async (): Promise<void> => void (await Promise.all(replies));
    developmentRoute(options.server, { bots, tenants, receive, settled, random: options.random });
  }

  const usual = options.development ? 'polling' : 'webhook';
  const updates = options.updates === 'auto' ? usual : options.updates;
  const runner = createRunner({ ...options, updates, table, receive });
  const running = new Map<string, { token: string; stop: AbortController; done: Promise<void> }>();
  let stopped = false;

  /** Starts what is new, ends what is gone or has another token. */
  async function follow(): Promise<void> {
    await bots.reload();
    if (stopped) return;
    for (const [tenantId, { token, stop }] of running) {
      if (bots.of(tenantId)?.token === token) continue;
      stop.abort();
      running.delete(tenantId);
    }
    for (const bot of bots.all()) {
      const tenant = tenants.byId(bot.tenantId);
      if (!tenant || running.has(bot.tenantId)) continue;
      const stop = new AbortController();
      running.set(bot.tenantId, { token: bot.token, stop, done: begin(tenant, bot, stop.signal) });
    }
  }

  async function begin(tenant: Tenant, bot: ReturnType<Bots['all']>[number], signal: AbortSignal) {
    if (bot.configured && !(await bots.ensureConfigured(bot))) {
      log.error(
        { event: 'bot_taken', tenant: tenant.slug },
        'TELEGRAM_BOT_TOKEN is the bot of another tenant',
      );
      return;
    }
    await runner.run(tenant, bot, signal);
  }

  return {
    async start() {
      tenants.onChange(() => {
        follow().catch((error: unknown) =>
          log.warn({ event: 'bots_reload', error }, 'bots could not be read'),
        );
      });
      await follow();
    },
    async stop() {
      stopped = true;
      for (const { stop } of running.values()) stop.abort();
      const patience = new Promise((resolve) => setTimeout(resolve, REPLIES_AT_STOP_MILLISECONDS).unref());
      await Promise.race([
        Promise.all([...running.values()].map(({ done }) => done)).then(() => Promise.all(replies)),
        patience,
      ]);
    },
  };
}
