import type { Database } from '../db/database.ts';
import { createBatcher } from '../kernel/batcher.ts';
import type { Log } from '../kernel/log.ts';
import { phoneCountry, phonePrefix } from '../kernel/phone.ts';
import type { Outbox, SettledMessage, Settlement } from '../outbox/outbox.ts';
import { brandOf, type Tenant } from '../tenants/tenants.ts';
import { tryProvider } from './carry.ts';
import { createLanes, type LaneLimits } from './lanes.ts';
import type { DeliveryMeter } from './meter.ts';
import { kindOfRecipient, orderProviders, type Speeds } from './plan.ts';
import {
  channelAfter,
  onwardAfter,
  PROVIDER_TIMEOUT_MILLISECONDS,
  retryDelay,
  SUPPRESS_SECONDS,
} from './policy.ts';
import type { ChatOf, Envelope, MessageContent, Provider, SendResult } from './provider.ts';
import { sizeOfSms } from './segments.ts';
import { postponeTurns, reserveTurns } from './store.ts';
import type { Suppressions } from './suppressions.ts';
import { renderMessage, undoLabel } from './templates/templates.ts';

/** A leased message in memory, on its way to a provider. */
export interface Task {
  database: Database;
  tenantId: string;
  id: string;
  /** The channel whose turn it is, and those it may go by in all. */
  channel: string;
  plan: readonly string[];
  /** Providers that have failed for this channel. */
  tried: readonly string[];
  /** Tries by this channel, the one that is about to be made included. */
  attempts: number;
  content: MessageContent;
  /** Seconds for which sending it still makes sense. */
  expiresIn: number;
  /** When the lease was taken, in milliseconds; an old one may be somebody else's by now. */
  leasedAt: number;
}

export interface DispatcherOptions {
  /** The database in which the servers agree on the pace of a provider. */
  control: Database;
  outbox: Outbox;
  providers: readonly Provider[];
  tenantOf: (tenantId: string) => Tenant | undefined;
  chatOf: ChatOf | undefined;
  suppressions: Suppressions;
  meter: DeliveryMeter;
  speeds: () => Speeds;
  random: () => number;
  log: Log;
  /** Tries under way at once, for each provider that names no limit of its own. */
  concurrency: number;
  providerTimeoutMilliseconds: number | undefined;
  /** What was written about messages; another way is due at once when `due`. */
  onSettled: (database: Database, messages: readonly SettledMessage[], due: boolean) => void;
  onRoom: () => void;
}

/** Finds the way of each task, tries it, and writes how it went. */
export interface Dispatcher {
  take(task: Task): void;
  /** Ends or hands back a task without a try. */
  settle(database: Database, settlement: Settlement): Promise<void>;
  /** How much more may be taken on, and the channels of which nothing more should be. */
  capacity(): { room: number; full: string[]; shut: string[] };
  stop(): Promise<void>;
}

/** A task that waited longer than this is handed back, so that its try ends within its lease. */
const STALE_AFTER_MILLISECONDS = 15_000;
const CHANNELS = ['sms', 'email', 'telegram', 'voice'] as const;

interface Way {
  provider: Provider;
  /** The address as this provider takes it. */
  to: string;
}

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { control, outbox, providers, suppressions, meter, log, random } = options;
  const timeout = options.providerTimeoutMilliseconds ?? PROVIDER_TIMEOUT_MILLISECONDS;
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  const destinations = new WeakMap<Task, string>();
  const settlers = new Map<Database, ReturnType<typeof createBatcher<Settlement, void>>>();
  const lanes = createLanes<Task>({
    limitsOf: (name): LaneLimits => ({
      concurrency: byName.get(name)?.limits?.concurrency ?? options.concurrency,
      perSecond: byName.get(name)?.limits?.perSecond,
    }),
    isStale: ({ leasedAt, expiresIn }) =>
      performance.now() - leasedAt > Math.min(STALE_AFTER_MILLISECONDS, expiresIn * 1000),
    carry,
    turnAway: (task) => void find(task, true),
    onRoom: options.onRoom,
    reserve: (name, count, perSecond) => reserveTurns(control, name, count, perSecond),
    random,
    now: () => performance.now(),
    onBreaker(name, state) {
      meter.breaker(name, state);
      if (state === 'half_open') return;
      const fields = { event: `breaker_${state}`, provider: name };
      if (state === 'open') log.error(fields, 'a provider fails: other ways are used while it rests');
      else log.info(fields, 'a provider works again');
    },
  });

  async function settle(database: Database, settlement: Settlement): Promise<void> {
    let settler = settlers.get(database);
    if (!settler) {
      settler = createBatcher<Settlement, void>({
        maxBatch: 200,
        async flush(settlements) {
          const settled = await outbox.settle(database, settlements);
          const due = settlements.some((one) => one.state === 'queued' && one.retryInSeconds === 0);
          options.onSettled(database, settled, due);
          return settlements.map(() => undefined);
        },
      });
      settlers.set(database, settler);
    }
    try {
      await settler.add(settlement);
    } catch (error) {
      // The lease runs out and the message is claimed again: at most one duplicate, with the same code.
      log.warn(
        { event: 'settle_failed', message_id: settlement.id, error },
        'how a message went could not be written',
      );
    }
  }

  /** The ways of the channel whose turn it is, best first; those that have failed left out. */
  async function waysOf(task: Task, tenant: Tenant): Promise<Way[]> {
    const { channel, tenantId, content } = task;
    const { to } = content;
    const kind = kindOfRecipient(to);
    const carrying = providers.filter((provider) => provider.carries(channel, tenantId));
    const real = carrying.filter((provider) => !provider.isStandIn);
    const ordered = orderProviders(
      real.length > 0 ? real : carrying,
      tenant.policy.delivery,
      channel,
      kind === 'phone' ? phoneCountry(to) : null,
      options.speeds,
    ).filter((provider) => !task.tried.includes(provider.name));
    if (channel !== 'telegram') return ordered.map((provider) => ({ provider, to }));
    const byPhone = ordered.filter((provider) => provider.reachesByPhone === true);
    const byChat = ordered.filter((provider) => provider.reachesByPhone !== true);
    if (kind === 'telegram') return byChat.map((provider) => ({ provider, to }));
    const chat = await options.chatOf?.(task.database, tenantId, { kind, value: to });
    // A chat costs nothing and is known to be theirs: it goes first.
    return [
      ...(chat === null || chat === undefined ? [] : byChat.map((provider) => ({ provider, to: chat }))),
      ...(kind === 'phone' ? byPhone.map((provider) => ({ provider, to })) : []),
    ];
  }

  /** Puts a task into the lane of its best open way; where there is none it moves on, waits or ends. */
  async function find(task: Task, isTurnedAway: boolean): Promise<void> {
    const tenant = options.tenantOf(task.tenantId);
    if (!tenant) return end(task, 'its tenant is gone');
    if (suppressions.has(task.tenantId, task.channel, task.content.to)) {
      return conclude(task, tenant, { state: 'refused', error: 'suppressed' }, []);
    }
    const ways = await waysOf(task, tenant).catch((error: unknown) => {
      log.warn({ event: 'ways_unknown', message_id: task.id, error }, 'a linked chat could not be looked up');
      return undefined;
    });
    if (!ways) return handBack(task, 1);
    if (ways.length === 0) {
      const error =
        task.tried.length > 0 ? 'every provider failed' : `no provider carries ${task.channel} there`;
      return conclude(task, tenant, { state: 'refused', error }, []);
    }
    const waits = ways.map(({ provider }) => lanes.shutFor(provider.name));
    const open = ways[waits.indexOf(0)];
    const isStale = performance.now() - task.leasedAt > STALE_AFTER_MILLISECONDS;
    if (open && !isStale) {
      destinations.set(task, open.to);
      return lanes.add(open.provider.name, task);
    }
    if (!open && channelAfter(task.plan, task.channel) !== undefined) {
      return conclude(task, tenant, { state: 'refused', error: 'circuit open' }, []);
    }
    const jitter = isTurnedAway ? random() : 0;
    return handBack(task, open ? 0 : Math.min(...waits) / 1000 + jitter);
  }

  async function carry(task: Task, name: string): Promise<void> {
    const provider = byName.get(name) as Provider;
    const tenant = options.tenantOf(task.tenantId);
    if (!tenant) return end(task, 'its tenant is gone');
    const to = destinations.get(task) ?? task.content.to;
    let segments = 1;
    const makeEnvelope = (): Envelope => {
      const envelope = envelopeOf(task, tenant, to);
      if (task.channel === 'sms' && !provider.hasOwnText) ({ segments } = sizeOfSms(envelope.text));
      return envelope;
    };
    const { result, tookMilliseconds, fault } = await tryProvider(provider, makeEnvelope, timeout);
    if (fault !== undefined) {
      log.warn(
        { event: 'provider_failed', provider: name, message_id: task.id, error: fault },
        'provider failed',
      );
    }
    judge(task, name, result);
    const country = kindOfRecipient(task.content.to) === 'phone' ? phoneCountry(task.content.to) : null;
    const isSent = result.state === 'sent';
    const price = isSent ? (tenant.policy.delivery.priceOf(name, country) ?? 0) * segments : 0;
    meter.tried({ tenant: tenant.slug, provider: name, channel: task.channel, country }, result.state, price);
    if (result.state !== 'sent') {
      // The ways that are left, were this provider out.
      const others = await waysOf({ ...task, tried: [...task.tried, name] }, tenant).catch(() => []);
      const isRefusal = result.state === 'refused';
      const send = isRefusal ? sendOf(task, name, result, country, 0, tookMilliseconds) : null;
      return conclude(task, tenant, result, others, name, send);
    }
    const after = channelAfter(task.plan, task.channel);
    const silence = task.content.code === null ? 0 : tenant.policy.delivery.nextChannelAfterSeconds;
    await settle(task.database, {
      ...settlementOf(task, 'sent'),
      nextChannelIn: after === undefined ? null : silence === 0 ? 'whenOver' : silence,
      send: sendOf(task, name, result, country, price, tookMilliseconds),
    });
  }

  /** What a result says about the provider itself. */
  function judge(task: Task, name: string, result: SendResult): void {
    const isAlarm = result.state === 'refused' && result.remedy === 'alarm';
    if (isAlarm) {
      meter.alarm(name);
      log.error(
        { event: 'provider_alarm', provider: name, channel: task.channel, error: result.error },
        'a provider refuses what it should take: look at its credentials, its settings and its balance',
      );
    }
    if (result.state === 'retry' && result.retryAfterSeconds !== undefined) {
      const seconds = Math.min(3600, result.retryAfterSeconds);
      lanes.pause(name, seconds * 1000);
      if (byName.get(name)?.limits?.perSecond !== undefined) {
        postponeTurns(control, name, seconds).catch(() => {});
      }
    } else if (isAlarm || (result.state === 'retry' && result.notBeforeSeconds === undefined)) {
      lanes.failed(name);
    } else {
      lanes.succeeded(name);
    }
    if (result.state === 'refused' && result.remedy === 'suppress') {
      const { tenantId, channel, content } = task;
      const suppression = { tenantId, channel, recipient: content.to, verificationId: null, provider: name };
      suppressions
        .add(task.database, { ...suppression, error: result.error, seconds: SUPPRESS_SECONDS })
        .catch((error: unknown) =>
          log.warn({ event: 'not_suppressed', error }, 'a recipient out of reach was not remembered'),
        );
    }
  }

  /** Writes where a task goes that was not sent. */
  function conclude(
    task: Task,
    tenant: Tenant,
    result: Exclude<SendResult, { state: 'sent' }>,
    others: readonly Way[],
    name?: string,
    send: Settlement['send'] = null,
  ): Promise<void> {
    const nextChannel = channelAfter(task.plan, task.channel);
    const left = {
      otherProvider: others.some(({ provider }) => lanes.shutFor(provider.name) === 0),
      nextChannel: nextChannel !== undefined,
    };
    const queued = { ...settlementOf(task, 'queued'), error: result.error, send };
    switch (onwardAfter(result, task.attempts, left)) {
      case 'other_provider':
        return settle(task.database, { ...queued, tried: [...task.tried, ...(name ? [name] : [])] });
      case 'next_channel':
        meter.fellBack(tenant.slug, task.channel, nextChannel ?? '');
        return settle(task.database, { ...queued, channel: nextChannel ?? '', tried: [], attempts: 0 });
      case 'again': {
        return settle(task.database, {
          ...queued,
          tried: [],
          retryInSeconds: retryDelay(task.attempts, random(), askedPause(result)),
        });
      }
      case 'give_up':
        return settle(task.database, { ...queued, state: 'failed' });
    }
  }

  /** Nothing was tried: it waits in the outbox, and that counts as no try. */
  function handBack(task: Task, seconds: number): Promise<void> {
    const attempts = task.attempts - 1;
    return settle(task.database, { ...settlementOf(task, 'queued'), attempts, retryInSeconds: seconds });
  }

  function end(task: Task, error: string): Promise<void> {
    return settle(task.database, { ...settlementOf(task, 'failed'), error });
  }

  return {
    take: (task) => void find(task, false),
    settle,
    capacity() {
      const [full, shut]: [string[], string[]] = [[], []];
      const rooms: number[] = [];
      for (const channel of CHANNELS) {
        const names = providers.filter((provider) => provider.carries(channel)).map(({ name }) => name);
        if (names.length === 0) continue;
        const most = Math.max(...names.map((name) => lanes.room(name)));
        if (most > 0) rooms.push(most);
        else if (names.every((name) => lanes.shutFor(name) > 0)) shut.push(channel);
        else full.push(channel);
      }
      return { room: Math.min(2 * options.concurrency, ...rooms), full, shut };
    },
    async stop() {
      // Longer than a try: what it led to is to be written too.
      await lanes.stop(timeout + 2000);
      await Promise.all([...settlers.values()].map((settler) => settler.drain()));
    },
  };
}

function askedPause(result: SendResult): number {
  if (result.state !== 'retry') return 0;
  return Math.max(result.retryAfterSeconds ?? 0, result.notBeforeSeconds ?? 0);
}

function settlementOf(task: Task, state: Settlement['state']): Settlement {
  const { tenantId, id, channel, tried, attempts } = task;
  return {
    ...{ tenantId, id, state, channel, tried, attempts },
    ...{ error: null, retryInSeconds: 0, nextChannelIn: null, send: null },
  };
}

function sendOf(
  { channel, content }: Task,
  provider: string,
  result: Exclude<SendResult, { state: 'retry' }>,
  country: string | null,
  price: number,
  tookMilliseconds: number,
): Settlement['send'] {
  const prefix = kindOfRecipient(content.to) === 'phone' ? phonePrefix(content.to) : null;
  const told =
    result.state === 'sent'
      ? { state: result.state, providerMessageId: result.providerMessageId, error: null }
      : { state: result.state, providerMessageId: null, error: result.error };
  return { channel, provider, ...told, country, prefix, price, tookMilliseconds };
}

function envelopeOf(
  { id, tenantId, content, channel, expiresIn }: Task,
  tenant: Tenant,
  to: string,
): Envelope {
  const brand = brandOf(tenant);
  const { autofillHost: host, androidAppHash: androidHash } = tenant.policy.sms;
  return {
    ...(channel === 'sms' && androidHash !== null ? { androidHash } : {}),
    ...(content.undoMove === undefined
      ? {}
      : { buttons: [[{ text: undoLabel(content.locale), callback_data: content.undoMove }]] }),
    ...renderMessage({ ...content, channel, expiresIn, autofill: { host, androidHash } }, brand),
    ...{ id, tenantId, channel, to, code: content.code, expiresIn },
    senderName: brand.name,
    locale: content.locale,
    template: content.template,
    replyTo: brand.supportAddress ?? null,
  };
}
