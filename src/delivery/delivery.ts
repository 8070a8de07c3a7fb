import { type Database, type Fragment, isDatabaseUnavailable, type Sql } from '../db/database.ts';
import type { Feed } from '../db/feed.ts';
import type { Log } from '../kernel/log.ts';
import type { Secrets } from '../kernel/secrets.ts';
import {
  type ClaimedMessage,
  type DeliveryCounts,
  type Outbox,
  OUTBOX_TOPIC,
  type Settlement,
} from '../outbox/outbox.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { type CodeChecks, createCodeChecks } from './code-checks.ts';
import { createDispatcher, type Task } from './dispatcher.ts';
import { createDeliveryMeter, type DeliveryMeter } from './meter.ts';
import { type AddressKind, channelsOf, kindOfRecipient, planChannels } from './plan.ts';
import { channelAfter, MOST_CLAIMS } from './policy.ts';
import type {
  ChatOf,
  DeliveryReport,
  Envelope,
  MessageContent,
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
import { createReports } from './reports.ts';
import { sizeOfSms } from './segments.ts';
import { createSpeeds } from './speeds.ts';
import { createSuppressions } from './suppressions.ts';
import { createTakingBack } from './taking-back.ts';
import { createWatch } from './watch.ts';
import { messageLocales } from './templates/templates.ts';

export type { DeliveryCounts };
export type { Callback, CodeChecks, ChatOf, DeliveryReport, MessageContent, ReportOutcome };
export type { DeliveryMeter, DevelopmentInbox, Envelope, InboxMessage, Provider, SendResult };
export type { SmtpOptions };
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

export interface QueueMessageOptions {
  tenantId: string;
  /** The verification whose code it carries; null for notices. */
  verificationId: string | null;
  content: MessageContent;
  now: Fragment;
  /** SQL: when it may go out; left out: at once. */
  due?: Fragment;
  /** Written but never sent, so that an answer to a stranger costs the same. */
  decoy?: boolean;
  /** SQL after `from`: queued once for each row. */
  from: Fragment;
}

/** A message whose statement has been built; to be handed over once that statement is committed. */
export interface QueuedMessage {
  insert: Fragment;
  id: string;
  tenantId: string;
  plan: readonly string[];
  content: MessageContent;
}

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
  /** Is there a provider for this channel? */
  offers(channel: string): boolean;
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
  /** `insert …` for a `with` list. */
  queue(sql: Sql, message: QueueMessageOptions): QueuedMessage;
  /** Sends what this server has just committed, from memory. Returns at once. */
  dispatch(database: Database, queued: QueuedMessage): void;
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
  /** What became of the messages of a while, by tenant, channel, provider, country and perhaps prefix. */
  counts: Outbox['counts'];
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
  meter?: DeliveryMeter;
  /** Tries under way at once, for each provider that names no limit of its own. */
  concurrency: number;
  /** How long a provider may hold a try; ten seconds unless told otherwise. */
  providerTimeoutMilliseconds?: number | undefined;
}

/** The conversion that metrics show: of the last ten minutes. */
const CONVERSION = { tenantId: null, sinceSeconds: 600, byPrefix: false };

export function createDelivery(options: DeliveryOptions): Delivery {
  const { outbox, providers, secrets, newId, log } = options;
  const meter = options.meter ?? createDeliveryMeter(undefined);
  const suppressions = createSuppressions();
  const watch = createWatch();
  const revocations = createTakingBack({ outbox, providers, log });
  const ways = { providers, knowsChats: options.chatOf !== undefined };
  const speeds = createSpeeds(outbox);
  /** Databases in which more was due than could be taken on. */
  const withMore = new Set<Database>();
  const claiming = new Map<Database, Promise<number>>();
  let stopping = false;

  const dispatcher = createDispatcher({
    control: options.control,
    outbox,
    providers,
    tenantOf: options.tenantOf,
    chatOf: options.chatOf,
    suppressions,
    meter,
    speeds: speeds.all,
    random: options.random,
    log,
    concurrency: options.concurrency,
    providerTimeoutMilliseconds: options.providerTimeoutMilliseconds,
    onSettled(database, messages, due) {
      watch.changed(
        database,
        messages.map((message) => message.verification_id),
      );
      if (due) wake(database);
    },
    onRoom() {
      for (const database of withMore) wake(database);
    },
  });
  const reports = createReports({
    databases: options.databases,
    outbox,
    suppressions,
    meter,
    log,
    onChanged(database, reported) {
      watch.changed(database, [reported.verification_id]);
      if (reported.moved_on) wake(database);
    },
  });

  /** Looks for due messages soon, without anybody waiting for it. */
  function wake(database: Database): void {
    if (stopping) return;
    withMore.delete(database);
    setImmediate(() => {
      dispatchDue(database).catch((error: unknown) => {
        // The worker's next round looks again.
        if (!isDatabaseUnavailable(error)) {
          log.warn(
            { event: 'dispatch_failed', database: database.name, error },
            'due messages were not read',
          );
        }
      });
    });
  }

  /** One claim at a time in a database; who comes meanwhile gets a round of their own after it. */
  function dispatchDue(database: Database): Promise<number> {
    const before = claiming.get(database) ?? Promise.resolve(0);
    const round = before.then(
      () => claimAll(database),
      () => claimAll(database),
    );
    claiming.set(database, round);
    return round;
  }

  async function claimAll(database: Database): Promise<number> {
    let total = 0;
    while (!stopping) {
      const { room, full, shut } = dispatcher.capacity();
      // No more than can be tried soon: a claim counts as an attempt, and its lease runs.
      const limit = Math.min(room, 100);
      const claimed = await outbox.claim(database, limit, { full, shut });
      watch.changed(
        database,
        claimed.map((message) => message.verification_id),
      );
      await Promise.all(claimed.map((message) => takeClaimed(database, message)));
      total += claimed.length;
      if (full.length > 0 || claimed.length >= limit) withMore.add(database);
      if (claimed.length < limit) break;
      // The lanes take on what was found, and perhaps have room again.
      await new Promise((resolve) => setImmediate(resolve));
      if (dispatcher.capacity().full.length > full.length) break;
    }
    return total;
  }

  async function takeClaimed(database: Database, message: ClaimedMessage): Promise<void> {
    const { tenant_id: tenantId, id, channel, plan, tried, attempts } = message;
    const opened = openClaimed(message);
    if ('ends' in opened) {
      const state = opened.ends;
      const nothing = { retryInSeconds: 0, nextChannelIn: null, send: null };
      await dispatcher.settle(database, {
        ...{ tenantId, id, state, channel, tried, attempts, error: opened.error, ...nothing },
      });
      return;
    }
    const expiresIn = message.expires_in;
    const leasedAt = performance.now();
    dispatcher.take({
      ...{ database, tenantId, id, channel, plan, tried, attempts, content: opened, expiresIn, leasedAt },
    });
  }

  /** What was claimed, opened; or why it ends here. One that cannot be opened must not hold up the others. */
  function openClaimed(
    message: ClaimedMessage,
  ): MessageContent | { ends: Settlement['state']; error: string } {
    if (message.too_late) return { ends: 'abandoned', error: 'expired or used before it could be sent' };
    // Its earlier tries ended with the servers that made them: perhaps because of it.
    if (message.attempts > MOST_CLAIMS) return { ends: 'failed', error: 'no server lived to settle it' };
    try {
      const text = secrets.open(message.payload_sealed, contextOf(message.id)).toString();
      return JSON.parse(text) as MessageContent;
    } catch {
      return { ends: 'failed', error: 'sealed with a secret that is no longer configured' };
    }
  }

  /** A message's channel, and after it those it may go on to. */
  function planMessage(tenantId: string, { channel, to }: MessageContent): readonly string[] {
    const tenant = options.tenantOf(tenantId);
    const planned = tenant && planChannels(ways, tenant, { kind: kindOfRecipient(to), value: to }, channel);
    return planned?.[0] === channel ? planned : [channel];
  }

  return {
    offers: (channel) => providers.some((provider) => provider.carries(channel)),
    planOf: (tenant, address, head) => planChannels(ways, tenant, address, head),
    queue(sql, message) {
      const id = newId();
      const { content, tenantId } = message;
      const plan = planMessage(tenantId, content);
      const insert = outbox.queue(sql, {
        tenantId,
        id,
        verificationId: message.verificationId,
        channel: content.channel,
        plan,
        template: content.template,
        locale: content.locale,
        payload: secrets.seal(JSON.stringify(content), contextOf(id)),
        now: message.now,
        ...(message.due ? { due: message.due } : {}),
        ...(message.decoy ? { decoy: true } : {}),
        expiresAt: sql`${message.due ?? message.now} + make_interval(secs => ${content.expiresIn})`,
        from: message.from,
      });
      return { insert, id, tenantId, plan, content };
    },
    dispatch(database, { id, tenantId, plan, content }) {
      const { channel, expiresIn } = content;
      const task: Task = {
        ...{ database, tenantId, id, channel, plan, tried: [], content, attempts: 1, expiresIn },
        leasedAt: performance.now(),
      };
      // After the answer has left: what sending costs must not tell that something is sent (S22).
      setImmediate(() => dispatcher.take(task));
    },
    dispatchDue: (database) => (stopping ? Promise.resolve(0) : dispatchDue(database)),
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
      revocations.takeBack(database, tenantId, verificationId);
    },
    counts: outbox.counts,
    async refresh(database) {
      await suppressions.refresh(database);
      await speeds.refresh(database);
      for (const counts of await outbox.counts(database, CONVERSION)) {
        meter.converted({ ...counts, tenant: options.tenantOf(counts.tenant_id)?.slug ?? counts.tenant_id });
      }
    },
    follow(database, feed) {
      suppressions.follow(database, feed);
      watch.follow(database, feed);
      feed.on(OUTBOX_TOPIC, () => wake(database));
    },
    async stop(databases) {
      stopping = true;
      reports.stop();
      watch.stop();
      await dispatcher.stop();
      await Promise.allSettled(claiming.values());
      await Promise.all(databases.map((database) => outbox.release(database)));
    },
  };
}

function contextOf(id: string): string {
  return `message:${id}`;
}
