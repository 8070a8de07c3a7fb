import type { Update } from 'grammy/types';
import type { Log } from '../kernel/log.ts';
import type { BotApi } from '../telegram/telegram.ts';
import type { Tenant, TelegramBot } from '../tenants/tenants.ts';
import type { Bots } from './bots.ts';
import type { FeatureTable } from './features.ts';
import type { Handled } from './router.ts';
import { ALLOWED_UPDATES, setUp } from './setup.ts';
import { webhookPath } from './webhook.ts';

export interface RunnerOptions {
  bots: Bots;
  table: FeatureTable;
  updates: 'polling' | 'webhook';
  publicUrl: string;
  random: () => number;
  log: Log;
  receive(tenant: Tenant, update: Update): Promise<Handled>;
}

/** Keeps one bot connected to Telegram. Ends when the signal aborts; never throws, whatever Telegram does. */
export interface Runner {
  run(tenant: Tenant, bot: TelegramBot, signal: AbortSignal): Promise<void>;
}

/** Longer than one long poll, shorter than people wait when the server that polled has died. */
const LEASE_SECONDS = 60;
const POLL_SECONDS = 25;
const LONGEST_REST_SECONDS = 300;

export function createRunner(options: RunnerOptions): Runner {
  const { bots, log } = options;

  async function run(tenant: Tenant, bot: TelegramBot, signal: AbortSignal): Promise<void> {
    let failures = 0;
    const rest = (least = 0): Promise<void> => {
      const seconds =
        Math.min(LONGEST_REST_SECONDS, 2 ** Math.min(failures++, 10)) * (0.5 + options.random() / 2);
      return pause(Math.max(seconds, least) * 1000, signal);
    };
    let isSetUp = false;
    while (!signal.aborted) {
      const api = bots.apiOf(tenant.id);
      if (!api) return;
      try {
        if (!(await bots.lease(tenant.id, LEASE_SECONDS))) {
          isSetUp = false;
          await pause((LEASE_SECONDS / 4) * 1000, signal);
          continue;
        }
        if (!isSetUp) {
          const outcome = await tell(tenant, bot, api, signal);
          if (outcome !== 'done') {
            await rest(outcome);
            continue;
          }
          isSetUp = true;
          if (options.updates === 'webhook') return await bots.release(tenant.id);
        }
        const polled = await poll(tenant, api, signal);
        if (polled === 'done') failures = 0;
        else await rest(polled);
      } catch (error) {
        log.warn({ event: 'bot_loop', tenant: tenant.slug, error }, 'the loop of a bot will try again');
        await rest();
      }
    }
    await bots.release(tenant.id).catch(() => {});
  }

  /** @returns the least seconds to wait before another try, or `done` */
  async function tell(
    tenant: Tenant,
    bot: TelegramBot,
    api: BotApi,
    signal: AbortSignal,
  ): Promise<'done' | number> {
    const webhook =
      options.updates === 'webhook'
        ? { url: options.publicUrl + webhookPath(tenant.slug), secret: bots.webhookSecret(bot) }
        : undefined;
    const outcome = await setUp({ bot, api, table: options.table, webhook, signal });
    if (outcome.ok) {
      const { username, setupHash } = outcome;
      await bots.noteSetup({ tenantId: tenant.id, username, setupHash });
      await bots.reload();
      log.info({ event: 'bot_ready', tenant: tenant.slug }, `the Telegram bot @${username} is ready`);
      return 'done';
    }
    if (signal.aborted) return 0;
    const { status } = outcome;
    const wrongToken = status === 401 || status === 404;
    log.warn(
      { event: 'bot_setup_failed', tenant: tenant.slug, status },
      wrongToken
        ? 'Telegram does not know the token of this bot'
        : 'a bot could not be set up; it will be tried again',
    );
    return wrongToken ? LONGEST_REST_SECONDS : (outcome.retryAfterSeconds ?? 0);
  }

  let offsets = new Map<string, number>();

  async function poll(tenant: Tenant, api: BotApi, signal: AbortSignal): Promise<'done' | number> {
    const offset = offsets.get(tenant.id);
    const answer = await api.call(
      'getUpdates',
      {
        timeout: POLL_SECONDS,
        allowed_updates: ALLOWED_UPDATES,
        limit: 100,
        ...(offset === undefined ? {} : { offset }),
      },
      { signal },
    );
    if (!answer.ok) return answer.retryAfterSeconds ?? 0;
    // One after the other within a chat; chats beside each other.
    const byChat = Map.groupBy(answer.result, chatOf);
    const outcomes = await Promise.all([...byChat.values()].map((updates) => inOrder(tenant, updates)));
    const left = outcomes.flat();
    // What could not be handled is not confirmed: Telegram brings it again, and with it what came after.
    const last = answer.result.at(-1)?.update_id;
    const next = left.length > 0 ? Math.min(...left) : last === undefined ? undefined : last + 1;
    if (next !== undefined) offsets = new Map(offsets).set(tenant.id, next);
    return left.length > 0 ? 1 : 'done';
  }

  /** Ids of those that could not be handled; behind one of them nothing of its chat is handled before it. */
  async function inOrder(tenant: Tenant, updates: readonly Update[]): Promise<number[]> {
    for (const [index, update] of updates.entries()) {
      const handled = await options.receive(tenant, update).catch(() => 'later' as const);
      if (handled === 'later') return updates.slice(index).map((one) => one.update_id);
    }
    return [];
  }

  return { run };
}

function chatOf(update: Update): string {
  const { message, callback_query: pressed, my_chat_member: member } = update;
  const id = message?.chat.id ?? pressed?.from.id ?? member?.chat.id;
  return id === undefined ? `update ${update.update_id}` : String(id);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds).unref();
    signal.addEventListener('abort', done, { once: true });
  });
}
