import { type Accounts, createAccounts } from './accounts/accounts.ts';
import { randomBytes, randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { type AuditTrail, createAuditTrail } from './audit/audit.ts';
import { type Bots, createBot } from './bot/bot.ts';
import { composeCarriers } from './compose/carriers.ts';
import { composeRounds } from './compose/rounds.ts';
import { composeDoors } from './compose/doors.ts';
import { composeTelegramLogin } from './compose/telegram-login.ts';
import type { AppOptions } from './compose/options.ts';
import type { Database } from './db/database.ts';
import { createReadiness } from './db/databases.ts';
import { createFeed, type Feed } from './db/feed.ts';
import { createCodeChecks, type Delivery, type DevelopmentInbox } from './delivery/delivery.ts';
import { createIdFactory } from './kernel/id.ts';
import type { Log } from './kernel/log.ts';
import { createRandomPool } from './kernel/random.ts';
import { createSecrets } from './kernel/secrets.ts';
import { createKeys, type Keys } from './keys/keys.ts';
import { budgetsOf, createAddressBudgets, createCallerBuckets } from './limits/limits.ts';
import { createNotices } from './notices/notices.ts';
import { createPasswords, hashingCapacity } from './passwords/passwords.ts';
import { createRevocations, createSessions, type Revocations } from './sessions/sessions.ts';
import type { Refused } from './kernel/errors.ts';
import { type AddressFields, maskAddress } from './signin/address.ts';
import { type Reopened, reopenAddress } from './signin/reopen-addresses.ts';
import { createChallenges } from './challenges/challenges.ts';
import type { RequestClues, SignInContext } from './signin/context.ts';
import { createPlainSends } from './signin/plain-send.ts';
import { createPlainSignIns } from './signin/plain-sign-in.ts';
import { createTollGate } from './signin/toll-gate.ts';
import { warnOfClosedCountries } from './signin/watch-tolls.ts';
import { createTelegramProofs } from './telegram-proofs/telegram-proofs.ts';
import {
  type ApiKeys,
  createApiKeys,
  createTenants,
  type TelegramLogins,
  type Tenants,
} from './tenants/tenants.ts';
import { createTolls, type Tolls } from './tolls/tolls.ts';
import { createVerifications } from './verification/verification.ts';
import { createMetrics, type Metrics } from './web/metrics.ts';
import { createWorker, type Worker } from './worker/worker.ts';

/** A whole server, not yet listening. */
export interface App {
  server: FastifyInstance;
  tenants: Tenants;
  apiKeys: ApiKeys;
  keys: Keys;
  worker: Worker;
  tolls: Tolls;
  audit: AuditTrail;
  accounts: Accounts;
  /** The budgets of the configuration. */
  limits: ReturnType<typeof budgetsOf>;
  bots: Bots;
  telegramLogins: TelegramLogins;
  delivery: Delivery;
  metrics: Metrics;
  inbox: DevelopmentInbox | undefined;
  newId: () => string;
  /** Opens an address again that wrong codes have closed; for the command line. */
  reopen: (address: AddressFields & { tenant?: string }) => Promise<Reopened | Refused>;
  ready: () => Promise<boolean>;
  /** Loads tenants and keys, connects the feeds and starts the loops. Databases must be migrated. */
  start(): Promise<void>;
  /** Readiness fails at once; `drain()` ends what is under way; nothing acknowledged is lost. */
  beginStop(): void;
  stop(): Promise<void>;
}

/** An operator at the machine itself. */
const COMMAND_LINE: RequestClues = {
  caller: { ip: '', bucket: 'command-line', userAgent: 'firstproof' },
  tenantHeader: undefined,
  host: undefined,
  acceptLanguage: undefined,
};

/** Requests in flight at a stop have so long; a client that reads no faster is cut off. */
const DRAIN_MILLISECONDS = 20_000;

/** The composition root: with `compose/` the only place that knows every part. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, databases, clock, log, publicUrl } = options;
  const secrets = createSecrets(options.secrets);
  const newId = createIdFactory({ now: () => clock.now(), randomBytes });
  const node = randomUUID();
  const random = (): number => randomBytes(4).readUInt32BE() / 2 ** 32;

  const tenants = createTenants({ database: databases.control, newId, secrets, log });
  const databaseOf = (tenantId: string): Database => databases.of(tenants.byId(tenantId)?.database ?? null);
  const apiKeys = createApiKeys(databases.control, secrets, newId);
  const keys = createKeys({ databaseOf, secrets, clock, newId, log });

  const limits = budgetsOf(config);
  const budgets = createAddressBudgets(limits);
  const buckets = createCallerBuckets(databases.control, clock);

  const metrics = createMetrics();
  const tolls = createTolls({ database: databases.control, clock, config });
  const tollGate = createTollGate(tolls, { buckets, databaseOf, log, newId });
  const parts = { tenants, databaseOf, metrics, secrets, newId, random, node, tollGate, buckets };
  const carriers = composeCarriers(options, parts);
  const { inbox, bots, delivery } = carriers;
  const telegramLogin = composeTelegramLogin(options, { tenants, secrets, newId });
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
  const together = { log, longestQueueMilliseconds: config.longestQueueMilliseconds };
  const signIn: SignInContext = {
    tenants,
    databaseOf,
    verifications,
    sessions,
    delivery,
    codeChecks: createCodeChecks({
      providers: carriers.configured.all,
      checker: carriers.configured.codeChecker,
      log,
    }),
    plainSends: createPlainSends({ budgets, verifications, delivery, together }),
    plainSignIns: createPlainSignIns(together),
    budgets,
    buckets,
    challenges: createChallenges({
      secrets,
      counters: buckets,
      clock,
      captcha: config.captcha,
      fetch: options.fetch ?? fetch,
      log,
    }),
    sendsPerCallerPerHour: limits.sendsPerCallerPerHour,
    freeSendsPerCallerPerHour: limits.freeSendsPerCallerPerHour,
    wrongPasswordsPerHour: limits.wrongPasswordsPerHour,
    wrongPasswordsPerCallerPerHour: limits.wrongPasswordsPerCallerPerHour,
    explicitAnswersPerCallerPerHour: limits.explicitAnswersPerCallerPerHour,
    notices,
    passwords: createPasswords({ secrets, ...hashingCapacity() }),
    telegram: bots,
    telegramSignIn: {
      proofs: telegramProofs,
      tokenOf: (tenantId) => bots.of(tenantId)?.token,
      login: telegramLogin.login,
      loginClientOf: telegramLogin.logins.of,
      now: () => clock.now(),
      ...(options.telegramPublicKey ? { publicKey: options.telegramPublicKey } : {}),
    },
    tolls,
    log,
    newId,
  };
  const accounts = createAccounts({ databaseOf, audit, sessions, newId });
  let stopping = false;
  const isReady = createReadiness(databases);
  const ready = async (): Promise<boolean> => !stopping && (await isReady());
  const isStopping = (): boolean => stopping;
  const server = await composeDoors(options, {
    signIn,
    accounts,
    carriers,
    keys,
    apiKeys,
    secrets,
    telegramLogins: telegramLogin.logins,
    metrics,
    isStopping,
    ready,
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
    watch: composeRounds(options, signIn, metrics),
  });
  return {
    server,
    tenants,
    apiKeys,
    keys,
    audit,
    accounts,
    limits,
    worker,
    tolls,
    bots,
    telegramLogins: telegramLogin.logins,
    delivery,
    metrics,
    inbox,
    newId,
    reopen: (address) => reopenAddress(signIn, address, 'system', COMMAND_LINE),
    ready,
    async start() {
      await tenants.reload();
      await telegramLogin.logins.reload();
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
      carriers.smtp?.close();
      await Promise.all([...feeds.values()].map((feed) => feed.stop()));
      await databases.close();
    },
  };
}

/** A tenant made while servers run gets its keys from whichever server hears of it first. */
function ensureKeys(tenants: Tenants, keys: Keys, log: Log): void {
  for (const tenant of tenants.all()) {
    keys.ensure(tenant.id).catch((error: unknown) => {
      log.error({ event: 'keys_missing', tenant: tenant.slug, error }, 'a tenant has no signing keys');
    });
  }
}
