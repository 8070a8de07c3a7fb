import type { FastifyInstance } from 'fastify';
import type { Accounts } from '../accounts/accounts.ts';
import { registerAdmin } from '../admin/admin.ts';
import { type ApiContext, authorise, cluesOf, registerApi, registerDeliveryCallbacks } from '../api/api.ts';
import { isDatabaseUnavailable } from '../db/database.ts';
import { createCallbacks } from '../delivery/delivery.ts';
import { createIdempotency } from '../idempotency/idempotency.ts';
import type { Secrets } from '../kernel/secrets.ts';
import type { Keys } from '../keys/keys.ts';
import { answerByPage, type PagesContext, registerPages } from '../pages/pages.ts';
import type { SignInContext } from '../signin/context.ts';
import { createForgedCallbackRecorder } from '../signin/record-forged-callback.ts';
import type { ApiKeys, TelegramLogins } from '../tenants/tenants.ts';
import { createClientAddress } from '../web/client-address.ts';
import type { Metrics } from '../web/metrics.ts';
import { createHttpServer } from '../web/server.ts';
import type { Carriers } from './carriers.ts';
import type { AppOptions } from './options.ts';

export interface DoorParts {
  signIn: SignInContext;
  accounts: Accounts;
  carriers: Carriers;
  keys: Keys;
  apiKeys: ApiKeys;
  secrets: Secrets;
  telegramLogins: TelegramLogins;
  metrics: Metrics;
  isStopping: () => boolean;
  ready: () => Promise<boolean>;
}

/** The HTTP server with all that answers on it: the API, the hosted pages, callbacks, the admin API. */
export async function composeDoors(options: AppOptions, parts: DoorParts): Promise<FastifyInstance> {
  const { config, databases, clock, log, publicUrl } = options;
  const { signIn, carriers, keys, apiKeys, secrets, metrics, isStopping, ready } = parts;
  const { inbox, delivery, bots } = carriers;
  const clientAddress = createClientAddress([...config.trustedProxies]);
  const pages: PagesContext = {
    signIn,
    secrets,
    clock,
    publicUrl,
    cluesOf: (request) => cluesOf({ clientAddress, signIn }, request),
    isDevelopment: config.mode === 'development',
    inbox,
  };
  const server = createHttpServer({
    log,
    secure: publicUrl.startsWith('https:'),
    isUnavailable: isDatabaseUnavailable,
    // A start, or a library loaded on its first use, may take as long as no queue should.
    longestDelayMilliseconds: 2 * config.longestQueueMilliseconds,
    page: (request, reply, refused, error) => answerByPage(pages, request, reply, refused, error),
    onAnswer: (request, reply, elapsed) => {
      // Clients that keep a connection open take their next one elsewhere, before this one is closed under them; also
      // those whose question began before the stop, and waited.
      if (isStopping()) reply.header('connection', 'close');
      const route = request.routeOptions.url ?? 'unknown';
      metrics.answered(request.method, route, reply.statusCode, elapsed);
      if (config.logLevel === 'debug') {
        const milliseconds = Math.round(elapsed * 10) / 10;
        log.debug(
          { event: 'request', method: request.method, route, status: reply.statusCode, milliseconds },
          'request',
        );
      }
    },
  });
  const { version } = options;
  const context: ApiContext = {
    signIn,
    accounts: parts.accounts,
    keys,
    apiKeys,
    clientAddress,
    idempotency: createIdempotency({ secrets, newId: signIn.newId }),
    publicUrl,
    isDevelopment: config.mode === 'development',
    version,
    ready,
  };
  const isUnderWay = async (): Promise<boolean> =>
    (await Promise.all(databases.all().map(delivery.queued))).some((channels) => channels.length > 0);
  await registerApi(server, context, inbox && { inbox, isUnderWay });
  registerPages(server, pages);
  const callbacks = createCallbacks(config.providers, { publicUrl, now: () => clock.now() });
  const recordRefused = createForgedCallbackRecorder(signIn, () => clock.now());
  await registerDeliveryCallbacks(server, {
    callbacks,
    report: delivery.report,
    metrics,
    refused: (provider, why, request) => void recordRefused(provider, why, cluesOf(context, request).caller),
  });
  registerAdmin(server, {
    accounts: parts.accounts,
    tenants: signIn.tenants,
    keys,
    bots,
    telegramLogins: parts.telegramLogins,
    databaseNames: databases
      .all()
      .filter((database) => database !== databases.control)
      .map((database) => database.name),
    authorise: (request) => authorise(context, request, 'admin'),
    callerOf: (request) => cluesOf(context, request).caller,
  });
  return server;
}
