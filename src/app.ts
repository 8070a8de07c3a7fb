import { randomBytes, randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { type AuditTrail, createAuditTrail } from './audit/audit.ts';
import { registerAdmin } from './admin/admin.ts';
import { type Bots, createBot, createBots } from './bot/bot.ts';
import { type ApiContext, authorise, cluesOf, registerApi, registerDeliveryCallbacks } from './api/api.ts';
import type { Config } from './config/config.ts';
import { type Database, isDatabaseUnavailable } from './db/database.ts';
import { type Databases, isReady } from './db/databases.ts';
import { createFeed, type Feed } from './db/feed.ts';
import {
  createCallbacks,
  createCodeChecks,
  createConfiguredProviders,
  createDelivery,
  createDeliveryMeter,
  createDevelopmentInbox,
  createSmtpProvider,
  type Delivery,
  type DevelopmentInbox,
  type Provider,
  type SmtpOptions,
  withInboxCopy,
} from './delivery/delivery.ts';
import type { Clock } from './kernel/clock.ts';
import { createIdFactory } from './kernel/id.ts';
import { createRandomPool } from './kernel/random.ts';
import type { Log } from './kernel/log.ts';
import { createSecrets } from './kernel/secrets.ts';
import { createKeys, type Keys } from './keys/keys.ts';
import { budgetsOf, createAddressBudgets, createCallerBuckets } from './limits/limits.ts';
import { createMetrics, type Metrics } from './web/metrics.ts';
import { createOutbox } from './outbox/outbox.ts';
import { answerByPage, type PagesContext, registerPages } from './pages/pages.ts';
import { createNotices } from './notices/notices.ts';
import { createPasswords, hashingCapacity } from './passwords/passwords.ts';
import { createRevocations, createSessions, type Revocations } from './sessions/sessions.ts';
import { maskAddress } from './signin/address.ts';
import { chatOfAddress } from './signin/chat-of.ts';
import type { SignInContext } from './signin/context.ts';
import { createTollWatch, warnOfClosedCountries } from './signin/watch-tolls.ts';
import type { Pace } from './telegram/telegram.ts';
import { type ApiKeys, createApiKeys, createTenants, type Tenants } from './tenants/tenants.ts';
import { createTolls, type Tolls } from './tolls/tolls.ts';
import { createTelegramProofs } from './telegram-proofs/telegram-proofs.ts';
import { createVerifications } from './verification/verification.ts';
import { createClientAddress } from './web/client-address.ts';
import { createHttpServer } from './web/server.ts';
import { createWorker, type Worker } from './worker/worker.ts';

export interface AppOptions {
  config: Config;
  databases: Databases;
  secrets: readonly string[];
  publicUrl: string;
  clock: Clock;
  log: Log;
  version: string;
  /** Ways to deliver besides the development inbox. */
  providers?: readonly Provider[];
  /** How fast a bot may speak, where Telegram is not the real one. */
  telegramPace?: Pace;
  /** How the configured providers are reached. */
  fetch?: typeof fetch;
  /** How long a provider may hold a try; ten seconds unless told otherwise. */
  providerTimeoutMilliseconds?: number;
  /** How to reach the mail server, beside SMTP_URL. */
  smtp?: Partial<SmtpOptions>;
  /** Telegram's key for Mini Apps of third parties; another one only in tests. */
  telegramPublicKey?: string;
  /** How often the revocation feed proves that it still hears. */
  beatMilliseconds?: number;
}

/** A whole server, not yet listening. */
export interface App {
  server: FastifyInstance;
  tenants: Tenants;
  apiKeys: ApiKeys;
  keys: Keys;
  worker: Worker;
  tolls: Tolls;
  audit: AuditTrail;
  bots: Bots;
  delivery: Delivery;
  metrics: Metrics;
  inbox: DevelopmentInbox | undefined;
  newId: () => string;
  /** Is there a provider for this channel? */
  offers: (channel: string) => boolean;
  ready: () => Promise<boolean>;
  /** Loads tenants and keys, connects the feeds and starts the loops. Databases must be migrated. */
  start(): Promise<void>;
  /** Readiness fails at once; `drain()` ends what is under way; nothing acknowledged is lost. */
  beginStop(): void;
  stop(): Promise<void>;
}

/** Requests in flight at a stop have so long; a client that reads no faster is cut off. */
const DRAIN_MILLISECONDS = 20_000;

/** The composition root: the only place that knows every part. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, databases, clock, log, publicUrl } = options;
  const secrets = createSecrets(options.secrets);
  const newId = createIdFactory({ now: () => clock.now(), randomBytes });
  const node = randomUUID();
  const random = (): number => randomBytes(4).readUInt32BE() / 2 ** 32;

  const tenants = createTenants({ database: databases.control, newId, log });
  const databaseOf = (tenantId: string): Database => databases.of(tenants.byId(tenantId)?.database ?? null);
  const apiKeys = createApiKeys(databases.control, secrets, newId);
  const keys = createKeys({ databaseOf, secrets, clock, newId, log });

  const limits = budgetsOf(config);
  const budgets = createAddressBudgets(limits);
  const buckets = createCallerBuckets(databases.control, clock);

  const metrics = createMetrics();
  const inbox =
    config.mode === 'development' ? createDevelopmentInbox(databases.control, secrets, newId) : undefined;
  const bots = createBots({
    database: databases.control,
    databaseOf,
    secrets,
    newId,
    node,
    tenants,
    token: config.telegramBotToken,
    apiRoot: config.telegramApiRoot,
    inbox,
    pace: options.telegramPace,
  });
  const smtp = createSmtp(config, options.smtp);
  const mail = smtp && inbox ? withInboxCopy(smtp, inbox) : smtp;
  const carriers = createConfiguredProviders({
    config: config.providers,
    fetch: options.fetch ?? fetch,
    publicUrl,
    slugOf: (tenantId) => tenants.byId(tenantId)?.slug,
  });
  const delivery = createDelivery({
    outbox: createOutbox(node),
    providers: [
      ...(options.providers ?? []),
      ...[bots.provider, ...carriers.all].map((provider) =>
        inbox ? withInboxCopy(provider, inbox) : provider,
      ),
      ...(mail ? [mail] : []),
      ...(inbox ? [inbox] : []),
    ],
    chatOf: chatOfAddress,
    control: databases.control,
    databases: databases.all(),
    tenantOf: tenants.byId,
    meter: createDeliveryMeter(metrics),
    secrets,
    random,
    newId,
    log,
    concurrency: 64,
    providerTimeoutMilliseconds: options.providerTimeoutMilliseconds,
  });
  const verifications = createVerifications({
    secrets,
    budgets,
    newId,
    randomBytes: createRandomPool(),
  });

  const telegramProofs = createTelegramProofs({ secrets, newId, randomBytes: createRandomPool() });

  const feeds = new Map<Database, Feed>();
  const revocations = new Map<Database, Revocations>();
  const sessions = createSessions({
    keys,
    tenants,
    secrets,
    clock,
    publicUrl,
    databaseOf,
    revocationsOf: (tenantId) => revocations.get(databaseOf(tenantId)) as Revocations,
    newId,
    log,
  });
  for (const database of databases.all()) {
    const feed = createFeed({
      database,
      log,
      ...(options.beatMilliseconds === undefined ? {} : { beatMilliseconds: options.beatMilliseconds }),
    });
    feeds.set(database, feed);
    revocations.set(database, createRevocations(database, feed, clock, sessions.forget));
    keys.follow(feed, database);
    telegramProofs.follow(feed);
    delivery.follow(database, feed);
  }
  tenants.follow(feeds.get(databases.control) as Feed);

  const audit = createAuditTrail({ secrets, randomBytes });
  const notices = createNotices({
    tenants,
    databaseOf,
    delivery,
    mask: maskAddress,
    secrets,
    publicUrl,
    newId,
    log,
  });
  const signIn: SignInContext = {
    tenants,
    databaseOf,
    verifications,
    sessions,
    delivery,
    codeChecks: createCodeChecks({ providers: carriers.all, checker: carriers.codeChecker, log }),
    budgets,
    buckets,
    sendsPerCallerPerHour: limits.sendsPerCallerPerHour,
    wrongPasswordsPerHour: limits.wrongPasswordsPerHour,
    wrongPasswordsPerCallerPerHour: limits.wrongPasswordsPerCallerPerHour,
    explicitAnswersPerCallerPerHour: limits.explicitAnswersPerCallerPerHour,
    notices,
    passwords: createPasswords({ secrets, ...hashingCapacity() }),
    telegram: bots,
    telegramSignIn: {
      proofs: telegramProofs,
      tokenOf: (tenantId) => bots.of(tenantId)?.token,
      now: () => clock.now(),
      ...(options.telegramPublicKey ? { publicKey: options.telegramPublicKey } : {}),
    },
    tolls: createTolls({ database: databases.control, clock, config }),
    log,
    newId,
  };
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
    page: (request, reply, refused, error) => answerByPage(pages, request, reply, refused, error),
    onAnswer: (request, reply, elapsed) => {
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
  let stopping = false;
  // Clients that keep a connection open take their next one elsewhere, before this one is closed under them.
  server.addHook('onRequest', (_request, reply, done) => {
    if (stopping) reply.header('connection', 'close');
    done();
  });
  const ready = async (): Promise<boolean> => !stopping && (await isReady(databases));
  const context: ApiContext = {
    signIn,
    keys,
    apiKeys,
    clientAddress,
    publicUrl,
    version: options.version,
    ready,
  };
  await registerApi(server, context, inbox);
  registerPages(server, pages);
  const callbacks = createCallbacks(config.providers, { publicUrl, now: () => clock.now() });
  await registerDeliveryCallbacks(server, { callbacks, report: delivery.report, metrics });
  registerAdmin(server, {
    tenants,
    keys,
    bots,
    databaseNames: databases
      .all()
      .filter((database) => database !== databases.control)
      .map((database) => database.name),
    authorise: (request) => authorise(context, request, 'admin'),
    callerOf: (request) => cluesOf(context, request).caller,
  });

  const bot = createBot({
    bots,
    tenants,
    signIn,
    server,
    updates: config.telegramUpdates,
    publicUrl,
    development: config.mode === 'development',
    newId,
    random,
    log,
  });

  const worker = createWorker({
    databases: databases.all(),
    audit,
    delivery,
    notices,
    sessions,
    keys,
    tenants,
    clock,
    log,
    inbox,
    watch: createTollWatch(signIn, clock, metrics),
  });
  return {
    server,
    tenants,
    apiKeys,
    keys,
    audit,
    worker,
    tolls: signIn.tolls,
    bots,
    delivery,
    metrics,
    inbox,
    newId,
    offers: (channel) => delivery.offers(channel),
    ready,
    async start() {
      await tenants.reload();
      await Promise.all(databases.all().map((database) => keys.reload(database)));
      await Promise.all(tenants.all().map((tenant) => keys.ensure(tenant.id)));
      tenants.onChange(() => ensureKeys(tenants, keys, log));
      if (config.mode === 'production') warnOfClosedCountries(tenants, delivery, log);
      await Promise.all([...feeds.values()].map((feed) => feed.start()));
      worker.start();
      await bot.start();
    },
    beginStop() {
      stopping = true;
    },
    async stop() {
      stopping = true;
      telegramProofs.stop();
      const cut = setTimeout(() => server.server.closeAllConnections(), DRAIN_MILLISECONDS).unref();
      await server.close();
      clearTimeout(cut);
      await bot.stop();
      await worker.stop();
      smtp?.close();
      await Promise.all([...feeds.values()].map((feed) => feed.stop()));
      await databases.close();
    },
  };
}

/** The mail server of the configuration, if it names one. */
function createSmtp(
  { smtpUrl, smtpFrom }: Config,
  options: Partial<SmtpOptions> = {},
): ReturnType<typeof createSmtpProvider> | undefined {
  if (smtpUrl === undefined || smtpFrom === undefined) return undefined;
  return createSmtpProvider({ server: smtpUrl, from: smtpFrom, ...options });
}

/** A tenant made while servers run gets its keys from whichever server hears of it first. */
function ensureKeys(tenants: Tenants, keys: Keys, log: Log): void {
  for (const tenant of tenants.all()) {
    keys.ensure(tenant.id).catch((error: unknown) => {
      log.error({ event: 'keys_missing', tenant: tenant.slug, error }, 'a tenant has no signing keys');
    });
  }
}
