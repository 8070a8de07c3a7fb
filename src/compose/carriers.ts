import { type Bots, createBots } from '../bot/bot.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../db/database.ts';
import {
  createConfiguredProviders,
  createDelivery,
  createDeliveryMeter,
  createDevelopmentInbox,
  createSmtpProvider,
  type Delivery,
  type DevelopmentInbox,
  type SmtpOptions,
  type TollGate,
  withInboxCopy,
} from '../delivery/delivery.ts';
import type { Secrets } from '../kernel/secrets.ts';
import { createOutbox } from '../outbox/outbox.ts';
import { createAskProofAgain } from '../signin/ask-proof-again.ts';
import { chatOfAddress } from '../signin/chat-of.ts';
import type { SignInContext } from '../signin/context.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { Metrics } from '../web/metrics.ts';
import type { AppOptions } from './options.ts';

/** Everything that takes messages to people: the bots, the mail server, SMS providers, the inbox. */
export interface Carriers {
  inbox: DevelopmentInbox | undefined;
  bots: Bots;
  smtp: ReturnType<typeof createSmtpProvider> | undefined;
  configured: ReturnType<typeof createConfiguredProviders>;
  delivery: Delivery;
}

export interface CarrierParts {
  tenants: Tenants;
  databaseOf: (tenantId: string) => Database;
  metrics: Metrics;
  secrets: Secrets;
  newId: () => string;
  random: () => number;
  /** This process among the servers that share the queue. */
  node: string;
  tollGate: TollGate;
  buckets: SignInContext['buckets'];
}

/** In development a copy of each message goes to the inbox, whatever else carries it. */
export function composeCarriers(options: AppOptions, parts: CarrierParts): Carriers {
  const { config, databases, log, publicUrl } = options;
  const { tenants, databaseOf, secrets, newId, node, random } = parts;
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
  const configured = createConfiguredProviders({
    config: config.providers,
    fetch: options.fetch ?? fetch,
    publicUrl,
    slugOf: (tenantId) => tenants.byId(tenantId)?.slug,
  });
  const carrying = [bots.provider, ...configured.all, ...(smtp ? [smtp] : [])];
  const delivery: Delivery = createDelivery({
    outbox: createOutbox(node),
    providers: [
      ...(options.providers ?? []),
      ...carrying.map((provider) => (inbox ? withInboxCopy(provider, inbox) : provider)),
      ...(inbox ? [inbox] : []),
    ],
    chatOf: chatOfAddress,
    onStaleChat: createAskProofAgain({
      delivery: () => delivery,
      buckets: parts.buckets,
      tenants,
      newId,
      log,
    }),
    control: databases.control,
    databases: databases.all(),
    tenantOf: tenants.byId,
    meter: createDeliveryMeter(parts.metrics),
    tolls: parts.tollGate,
    secrets,
    random,
    newId,
    log,
    concurrency: 64,
    providerTimeoutMilliseconds: options.providerTimeoutMilliseconds,
  });
  return { inbox, bots, smtp, configured, delivery };
}

/** The mail server of the configuration, if it names one. */
function createSmtp({ smtpUrl, smtpFrom }: Config, options: Partial<SmtpOptions> = {}): Carriers['smtp'] {
  if (smtpUrl === undefined || smtpFrom === undefined) return undefined;
  return createSmtpProvider({ server: smtpUrl, from: smtpFrom, ...options });
}
