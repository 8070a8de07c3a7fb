import type { Database } from '../db/database.ts';
import type { Feed } from '../db/feed.ts';
import type { Log } from '../kernel/log.ts';
import type { Secrets } from '../kernel/secrets.ts';
import { type DeliveryCounts, type Outbox, OUTBOX_TOPIC, type QueueState } from '../outbox/outbox.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { type CodeChecks, createCodeChecks } from './code-checks.ts';
import { createDispatcher } from './dispatcher.ts';
import { createClaiming } from './claiming.ts';
import { createDeliveryMeter, type DeliveryMeter } from './meter.ts';
import { type AddressKind, channelsOf, planChannels } from './plan.ts';
import { channelAfter } from './policy.ts';
import type { Task } from './task.ts';
import type {
  ChatOf,
  DeliveryReport,
  Envelope,
  LinkedChat,
  OnStaleChat,
  Provider,
  ReportOutcome,
  SendResult,
} from './provider.ts';
import {
  createDevelopmentInbox,
  type DevelopmentInbox,
  type InboxMessage,
} from './providers/development-inbox.ts';
import { type Callback, createCallbacks } from './providers/callbacks.ts';
import { createConfiguredProviders } from './providers/configured-providers.ts';
import { withInboxCopy } from './providers/inbox-copy.ts';
import { createTelegramBotProvider } from './providers/telegram-bot.ts';
import { createSmtpProvider, type SmtpOptions } from './providers/smtp.ts';
import { createQueueing, type PreparedMessage, type QueuedMessage, type Queueing } from './queueing.ts';
import { createProbe, type Probed, type ProbeOutcome } from './probe.ts';
import { createReports } from './reports.ts';
import { sizeOfSms } from './segments.ts';
import { createSpeeds } from './speeds.ts';
import { createSuppressions } from './suppressions.ts';
import { createTakingBack } from './taking-back.ts';
import type { TolledMessage, TollGate } from './toll-gate.ts';
import { mostCost, providersFor } from './prices.ts';
import type { ProviderFailure } from './failing-store.ts';
import { createFailing, type Failing } from './failing.ts';
import { createUnreachable, type Unreachable, type UnreachableRow } from './unreachable.ts';
import { createWatch } from './watch.ts';
import { messageLocales } from './templates/templates.ts';

export { eraseSuppressions } from './person-store.ts';
export type { DeliveryCounts, PreparedMessage, ProviderFailure, QueuedMessage, QueueState };
export type { Callback, CodeChecks, ChatOf, DeliveryReport, LinkedChat, OnStaleChat, ReportOutcome };
export type { DeliveryMeter, DevelopmentInbox, Envelope, InboxMessage, Provider, SendResult };
export type { Probed, ProbeOutcome, SmtpOptions, TolledMessage, TollGate, UnreachableRow };
export {
  createCallbacks,
  channelsOf,
  createCodeChecks,
  createConfiguredProviders,
  createDeliveryMeter,
  createDevelopmentInbox,
  createSmtpProvider,
  createTelegramBotProvider,
  messageLocales,
  sizeOfSms,
  withInboxCopy,
};

/** How a message travels. */
export interface DeliveryStatus {
  state: 'queued' | 'sending' | 'sent' | 'delivered' | 'failed';
  channel: string;
  nextChannel: string | null;
  /** Seconds until the next channel's turn; null: only a refusal or a failed report leads on. */
  nextChannelIn: number | null;
}

/** From a committed row to a provider, and the row's end. Nothing here runs inside a request. */
export interface Delivery {
  /** Is there a provider for this channel that a tenant's messages may go by? */
  offers(channel: string, tenant: Pick<Tenant, 'id' | 'policy'>): boolean;
  /** What providers are called, in settings and statistics. */
  providerNames: readonly string[];
  /**
   * The channels by which a code may reach an address, in their order; empty when there is none. Tells nothing about
   * who the address belongs to.
   * @param head the channel to begin with: the person's own choice
   */
  planOf(
    tenant: Pick<Tenant, 'id' | 'policy'>,
    address: { kind: AddressKind; value: string },
    head?: string,
  ): readonly string[];
  /** What a message to a phone may cost at most, in the tenant's currency: so much its sender takes from the tolls. */
  mostCost(tenant: Pick<Tenant, 'id' | 'policy'>, channel: string, phone: string): number;
  /** `insert …` for a `with` list. */
  queue: Queueing['queue'];
  /** A message as a row of `given`, for a statement that it shares; `queueEach` writes those rows. */
  prepare: Queueing['prepare'];
  queueEach: Outbox['queueEach'];
  /** Sends what this server has just committed, from memory. Returns at once. */
  dispatch(database: Database, queued: PreparedMessage): void;
  /**
   * Sends what is due in a database: retries, what a dead server left, what was sent into silence. Returns how many were
   * claimed.
   */
  dispatchDue(database: Database): Promise<number>;
  /**
   * Takes what providers tell about messages they took, in any order and as often as they like. Already authenticated by
   * whoever calls. A failed one makes the next channel's turn; its remedies are seen to.
   */
  report(reports: readonly DeliveryReport[]): Promise<ReportOutcome>;
  /** How the newest message of a verification travels; undefined where there is none. */
  statusOf(database: Database, tenantId: string, verificationId: string): Promise<DeliveryStatus | undefined>;
  /** Calls back whenever a verification's message, or the verification itself, may have changed. @returns its end */
  watch(database: Database, verificationId: string, listener: () => void): () => void;
  /** A code was used, and that is committed: messages that carried it by other ways are taken back. Returns at once. */
  spent(database: Database, tenantId: string, verificationId: string): void;
  /** Whom providers call out of reach. */
  unreachable: Unreachable;
  /** What became of the messages of a while, by tenant, channel, provider, country and perhaps prefix. */
  counts: Outbox['counts'];
  /** What should be on its way in a database, by channel. */
  queued: Outbox['queued'];
  /** Providers that failed within the last minutes, whichever server met it. */
  failing: Failing['all'];
  /** Sends a test message past the outbox and tells what the providers answered: for operators. */
  probe: ReturnType<typeof createProbe>;
  /** Reads what changes slowly: who is out of reach, how fast providers are, how many codes are used. */
  refresh(database: Database): Promise<void>;
  /** Hears what other servers tell: messages handed back, people out of reach. */
  follow(database: Database, feed: Feed): void;
  /** Waits for what is under way and hands back the rest. */
  stop(databases: readonly Database[]): Promise<void>;
}

export interface DeliveryOptions {
  /** The database in which the servers agree on the pace of a provider. */
  control: Database;
  databases: readonly Database[];
  outbox: Outbox;
  providers: readonly Provider[];
  secrets: Secrets;
  random: () => number;
  newId: () => string;
  log: Log;
  /** Whose message it is, read when it leaves: changed colours, routes and prices reach what still waits. */
  tenantOf: (tenantId: string) => Tenant | undefined;
  /** Finds linked chats; left out: phones have none. */
  chatOf?: ChatOf;
  /** Asks the person of a chat that codes do not go to any more. */
  onStaleChat?: OnStaleChat;
  /** Asked before an SMS or a call leaves that no request has paid for; left out: they are free. */
  tolls?: TollGate | undefined;
  meter?: DeliveryMeter;
  /** Tries under way at once, for each provider that names no limit of its own. */
  concurrency: number;
  /** How long a provider may hold a try; ten seconds unless told otherwise. */
  providerTimeoutMilliseconds?: number | undefined;
}

/** The conversion that metrics show: of the last ten minutes. */
const CONVERSION = { tenantId: null, sinceSeconds: 600, byPrefix: false };

export function createDelivery(options: DeliveryOptions): Delivery {
  const { outbox, providers, secrets, log } = options;
  const meter = options.meter ?? createDeliveryMeter(undefined);
  const suppressions = createSuppressions();
  const watch = createWatch();
  const takingBack = createTakingBack({ outbox, providers, log });
  const ways = { providers, knowsChats: options.chatOf !== undefined, tolls: options.tolls };
  const speeds = createSpeeds(outbox);
  const failing = createFailing({ control: options.control, meter, log });

  function tellWatchers(database: Database, messages: readonly { verification_id: string | null }[]): void {
    watch.changed(
      database,
      messages.map((message) => message.verification_id),
    );
  }

  const dispatcher = createDispatcher({
    control: options.control,
    outbox,
    providers,
    tenantOf: options.tenantOf,
    chatOf: options.chatOf,
    onStaleChat: options.onStaleChat,
    tolls: options.tolls,
    suppressions,
    meter,
    speeds: speeds.all,
    random: options.random,
    log,
    concurrency: options.concurrency,
    providerTimeoutMilliseconds: options.providerTimeoutMilliseconds,
    onSettled(database, messages, due) {
      tellWatchers(database, messages);
      if (due) claiming.wake(database);
    },
    onRoom: () => claiming.wakeWithMore(),
    onBreaker: failing.changed,
  });
  const claiming = createClaiming({
    ...{ outbox, secrets, log, dispatcher },
    onClaimed: tellWatchers,
  });
  const reports = createReports({
    databases: options.databases,
    outbox,
    suppressions,
    meter,
    log,
    onChanged(database, reported) {
      watch.changed(database, [reported.verification_id]);
      if (reported.moved_on) claiming.wake(database);
    },
  });

  return {
    offers: (channel, tenant) => providersFor(providers, tenant, channel).length > 0,
    providerNames: providers.map(({ name }) => name),
    planOf: (tenant, address, head) => planChannels(ways, tenant, address, head),
    ...createQueueing(options),
    queueEach: outbox.queueEach,
    mostCost: (tenant, channel, phone) => mostCost(providers, tenant, channel, phone),
    dispatch(database, { id, tenantId, plan, content, tollPrice }) {
      const { channel, expiresIn } = content;
      const task: Task = {
        ...{ database, tenantId, id, channel, plan, tried: [], content, attempts: 1, expiresIn },
        leasedAt: performance.now(),
        toll: tollPrice === null ? null : { price: tollPrice, takenAt: performance.now() },
      };
      // After the answer has left: what sending costs must not tell that something is sent (S22).
      setImmediate(() => dispatcher.take(task));
    },
    dispatchDue: claiming.dispatchDue,
    report: reports.take,
    async statusOf(database, tenantId, verificationId) {
      const status = await outbox.status(database, tenantId, verificationId);
      if (!status) return undefined;
      const { channel, plan, next_channel_in: nextChannelIn } = status;
      const state = status.state === 'abandoned' ? 'failed' : status.state;
      const isOver = state === 'delivered' || state === 'failed';
      const nextChannel = isOver ? null : (channelAfter(plan, channel) ?? null);
      return { state, channel, nextChannel, nextChannelIn: isOver ? null : nextChannelIn };
    },
    watch: watch.on,
    spent(database, tenantId, verificationId) {
      watch.changed(database, [verificationId]);
      takingBack.takeBack(database, tenantId, verificationId);
    },
    unreachable: createUnreachable(options),
    counts: outbox.counts,
    queued: outbox.queued,
    failing: failing.all,
    probe: createProbe({
      ...{ providers, chatOf: options.chatOf, newId: options.newId },
      providerTimeoutMilliseconds: options.providerTimeoutMilliseconds,
    }),
    async refresh(database) {
      await suppressions.refresh(database);
      await speeds.refresh(database);
      meter.queued(database.name, await outbox.queued(database));
      const counts = await outbox.counts(database, CONVERSION);
      const ways = counts.map((one) => ({
        ...one,
        tenant: options.tenantOf(one.tenant_id)?.slug ?? one.tenant_id,
      }));
      meter.converted(database.name, ways);
    },
    follow(database, feed) {
      suppressions.follow(database, feed);
      watch.follow(database, feed);
      feed.on(OUTBOX_TOPIC, () => claiming.wake(database));
    },
    async stop(databases) {
      claiming.stop();
      reports.stop();
      watch.stop();
      await dispatcher.stop();
      await claiming.drained();
      await Promise.all(databases.map((database) => outbox.release(database)));
    },
  };
}
