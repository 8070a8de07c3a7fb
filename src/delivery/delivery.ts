import type { Database, Fragment, Sql } from '../db/database.ts';
import { createBatcher } from '../kernel/batcher.ts';
import type { Log } from '../kernel/log.ts';
import type { Secrets } from '../kernel/secrets.ts';
import type { ClaimedMessage, Outbox, Settlement } from '../outbox/outbox.ts';
import { createLanes } from './lanes.ts';
import { MOST_ATTEMPTS, PROVIDER_TIMEOUT_MILLISECONDS, retryDelay } from './policy.ts';
import type { Envelope, Provider, SendResult } from './provider.ts';
import { createDevelopmentInbox, type DevelopmentInbox } from './providers/development-inbox.ts';
import { callbackPaths, createConfiguredProviders } from './providers/configured-providers.ts';
import { withInboxCopy } from './providers/inbox-copy.ts';
import { createSmtpProvider, type SmtpOptions } from './providers/smtp.ts';
import type { Brand } from '../tenants/tenants.ts';
import {
  type MessageDetails,
  messageLocales,
  renderMessage,
  type TemplateName,
} from './templates/templates.ts';

export type { DevelopmentInbox, Envelope, MessageDetails, Provider, SendResult };
export type { SmtpOptions };
export { callbackPaths, createConfiguredProviders };
export { createDevelopmentInbox, createSmtpProvider, messageLocales, withInboxCopy };

/** What is to be said and to whom. Sealed in the outbox; rendered only when it leaves. */
export interface MessageContent {
  template: TemplateName;
  /** E.164, an e-mail address as it was entered, or a Telegram chat id. */
  to: string;
  channel: string;
  locale: string;
  tenantName: string;
  /** How the person is greeted; null where no name is known. */
  name: string | null;
  /** Null for notices. */
  code: string | null;
  /** Seconds from the commit for which sending it still makes sense. */
  expiresIn: number;
  /** For notices: what happened, where and when. */
  details?: MessageDetails;
}

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
  content: MessageContent;
}

/** From a committed row to a provider, and the row's end. Nothing here runs inside a request. */
export interface Delivery {
  /** Is there a provider for this channel? */
  offers(channel: string): boolean;
  /** `insert …` for a `with` list. */
  queue(sql: Sql, message: QueueMessageOptions): QueuedMessage;
  /** Sends what this server has just committed, from memory. Returns at once. */
  dispatch(database: Database, queued: QueuedMessage): void;
  /** Sends what is due in a database: retries, and what a dead server left. Returns how many were claimed. */
  dispatchDue(database: Database): Promise<number>;
  /** Waits for what is under way and hands back the rest. */
  stop(databases: readonly Database[]): Promise<void>;
}

export interface DeliveryOptions {
  outbox: Outbox;
  providers: readonly Provider[];
  secrets: Secrets;
  random: () => number;
  newId: () => string;
  log: Log;
  /** The look of a tenant's messages, read when they leave: a change of colours reaches what still waits. */
  brandOf: (tenantId: string) => Brand | undefined;
  /** Tries under way at once, for each channel. */
  concurrency: number;
  /** How long a provider may hold a try; ten seconds unless told otherwise. */
  providerTimeoutMilliseconds?: number;
}

interface Task {
  database: Database;
  tenantId: string;
  id: string;
  attempts: number;
  content: MessageContent;
  /** When the lease was taken, in milliseconds; an old one may be somebody else's by now. */
  leasedAt: number;
}

/** A task that waited longer than this leaves its message to whoever claims it next. */
const STALE_AFTER_MILLISECONDS = 15_000;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { outbox, providers, secrets, newId, log } = options;
  const providerTimeout = options.providerTimeoutMilliseconds ?? PROVIDER_TIMEOUT_MILLISECONDS;
  const lanes = createLanes<Task>({
    concurrency: options.concurrency,
    isStale: ({ leasedAt, content }) =>
      performance.now() - leasedAt > Math.min(STALE_AFTER_MILLISECONDS, content.expiresIn * 1000),
    carry,
  });
  let stopping = false;
  const settlers = new Map<Database, ReturnType<typeof createBatcher<Settlement, void>>>();

  function settlerOf(database: Database) {
    let settler = settlers.get(database);
    if (!settler) {
      settler = createBatcher<Settlement, void>({
        maxBatch: 200,
        async flush(settlements) {
          await outbox.settle(database, settlements);
          return settlements.map(() => undefined);
        },
      });
      settlers.set(database, settler);
    }
    return settler;
  }

  async function carry(task: Task): Promise<void> {
    const { content } = task;
    const provider = providers.find((candidate) => candidate.carries(content.channel));
    const result = provider
      ? await attempt(provider, task)
      : { state: 'refused' as const, error: `no provider carries ${content.channel}` };
    const settlement = settle(task, provider?.name ?? null, result);
    try {
      await settlerOf(task.database).add(settlement);
    } catch (error) {
      // The lease runs out and the message is claimed again: at most one duplicate, with the same code.
      log.warn(
        { event: 'settle_failed', message_id: task.id, error },
        'a sent message could not be marked as sent',
      );
    }
  }

  async function attempt(provider: Provider, task: Task): Promise<SendResult> {
    const late = Promise.withResolvers<never>();
    const patience = new AbortController();
    const timer = setTimeout(() => {
      const fault = new DOMException('the provider did not answer in time', 'TimeoutError');
      patience.abort(fault);
      // One that ignores the signal must not hold its place for ever: so many, and nothing leaves any more.
      late.reject(fault);
    }, providerTimeout);
    try {
      return await Promise.race([provider.send(render(task), patience.signal), late.promise]);
    } catch (error) {
      log.warn(
        { event: 'provider_failed', provider: provider.name, message_id: task.id, error },
        'provider failed',
      );
      return { state: 'retry', error: error instanceof Error ? error.name : 'failed' };
    } finally {
      clearTimeout(timer);
    }
  }

  function settle(task: Task, provider: string | null, result: SendResult): Settlement {
    const base = { tenantId: task.tenantId, id: task.id, provider, retryInSeconds: 0 };
    if (result.state === 'sent') {
      return { ...base, state: 'sent', providerMessageId: result.providerMessageId, error: null };
    }
    const again = result.state === 'retry' && task.attempts < MOST_ATTEMPTS;
    return {
      ...base,
      state: again ? 'queued' : 'failed',
      providerMessageId: null,
      error: result.error,
      retryInSeconds:
        result.state === 'retry' ? retryDelay(task.attempts, options.random(), result.retryAfterSeconds) : 0,
    };
  }

  function enqueue(task: Task): void {
    lanes.add(task.content.channel, task);
  }

  /** What was claimed, opened; or why it ends here. One that cannot be opened must not hold up the others. */
  function openClaimed(
    message: ClaimedMessage,
  ): MessageContent | { ends: Settlement['state']; error: string } {
    if (message.too_late) return { ends: 'abandoned', error: 'expired or used before it could be sent' };
    // Its earlier tries ended with the servers that made them: perhaps because of it.
    if (message.attempts > MOST_ATTEMPTS) return { ends: 'failed', error: 'no server lived to settle it' };
    try {
      const text = secrets.open(message.payload_sealed, contextOf(message.id)).toString();
      return JSON.parse(text) as MessageContent;
    } catch {
      return { ends: 'failed', error: 'sealed with a secret that is no longer configured' };
    }
  }

  return {
    offers: (channel) => providers.some((provider) => provider.carries(channel)),
    queue(sql, message) {
      const id = newId();
      const { content } = message;
      const insert = outbox.queue(sql, {
        tenantId: message.tenantId,
        id,
        verificationId: message.verificationId,
        channel: content.channel,
        template: content.template,
        locale: content.locale,
        payload: secrets.seal(JSON.stringify(content), contextOf(id)),
        now: message.now,
        ...(message.due ? { due: message.due } : {}),
        ...(message.decoy ? { decoy: true } : {}),
        expiresAt: sql`${message.due ?? message.now} + make_interval(secs => ${content.expiresIn})`,
        from: message.from,
      });
      return { insert, id, tenantId: message.tenantId, content };
    },
    dispatch(database, { id, tenantId, content }) {
      const task = { database, tenantId, id, content, attempts: 1, leasedAt: performance.now() };
      // After the answer has left: what sending costs must not tell that something is sent (S22).
      setImmediate(() => enqueue(task));
    },
    async dispatchDue(database) {
      if (stopping) return 0;
      // No more than can be tried soon: a claim counts as an attempt, and its lease runs.
      const { room, full } = lanes.room();
      const claimed = await outbox.claim(database, Math.min(room, 100), full);
      const ended: Promise<void>[] = [];
      for (const message of claimed) {
        const { tenant_id: tenantId, id, attempts } = message;
        const content = openClaimed(message);
        if ('ends' in content) {
          const { ends: state, error } = content;
          const nobody = { provider: null, providerMessageId: null, retryInSeconds: 0 };
          ended.push(settlerOf(database).add({ tenantId, id, state, error, ...nobody }));
        } else {
          enqueue({ database, tenantId, id, attempts, content, leasedAt: performance.now() });
        }
      }
      await Promise.all(ended);
      return claimed.length;
    },
    async stop(databases) {
      stopping = true;
      await lanes.stop(providerTimeout);
      await Promise.all([...settlers.values()].map((settler) => settler.drain()));
      await Promise.all(databases.map((database) => outbox.release(database)));
    },
  };

  function render({ id, tenantId, content }: Task): Envelope {
    const { channel, to, code, expiresIn } = content;
    const brand = options.brandOf(tenantId);
    return {
      ...renderMessage(content, brand),
      ...{ id, tenantId, channel, to, code, expiresIn },
      senderName: brand?.name ?? content.tenantName,
      locale: content.locale,
      replyTo: brand?.supportAddress ?? null,
    };
  }
}

function contextOf(id: string): string {
  return `message:${id}`;
}
