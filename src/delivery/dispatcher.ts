import type { Database } from '../db/database.ts';
import { channels } from '../kernel/channels.ts';
import type { Log } from '../kernel/log.ts';
import { phoneCountry } from '../kernel/phone.ts';
import type { Outbox, SettledMessage, Settlement } from '../outbox/outbox.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { Breaker } from './breaker.ts';
import { tryProvider } from './carry.ts';
import { createJudge } from './judging.ts';
import { createLanes, type LaneLimits } from './lanes.ts';
import type { DeliveryMeter } from './meter.ts';
import { kindOfRecipient, type Speeds } from './plan.ts';
import {
  channelAfter,
  mayHaveLeft,
  onwardAfter,
  PROVIDER_TIMEOUT_MILLISECONDS,
  retryDelay,
} from './policy.ts';
import type { ChatOf, Envelope, OnStaleChat, Provider, SendResult } from './provider.ts';
import { sizeOfSms } from './segments.ts';
import { createSettling } from './settling.ts';
import { reserveTurns } from './store.ts';
import type { Suppressions } from './suppressions.ts';
import { costOf } from './prices.ts';
import { type Claimed, envelopeOf, isOpened, sendOf, settlementOf, type Task } from './task.ts';
import { createTollTaking, type TollGate } from './toll-gate.ts';
import { createFindWays, type Way } from './ways.ts';

export interface DispatcherOptions {
  /** The database in which the servers agree on the pace of a provider. */
  control: Database;
  outbox: Outbox;
  providers: readonly Provider[];
  tenantOf: (tenantId: string) => Tenant | undefined;
  chatOf: ChatOf | undefined;
  onStaleChat: OnStaleChat | undefined;
  tolls: TollGate | undefined;
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
  /** The circuit breaker of a provider has changed. */
  onBreaker: (provider: string, state: Breaker['state']) => void;
}

/** Finds the way of each task, tries it, and writes how it went. */
export interface Dispatcher {
  take(task: Task): void;
  /** Ends what was claimed without a try. */
  end(claimed: Claimed, state: 'failed' | 'abandoned', error: string): Promise<void>;
  /** How much more may be taken on, and the channels of which nothing more should be. */
  capacity(): { room: number; full: string[]; shut: string[] };
  stop(): Promise<void>;
}

/** A task that waited longer than this is handed back, so that its try ends within its lease. */
const STALE_AFTER_MILLISECONDS = 15_000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { control, providers, suppressions, meter, log, random } = options;
  const timeout = options.providerTimeoutMilliseconds ?? PROVIDER_TIMEOUT_MILLISECONDS;
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  const destinations = new WeakMap<Task, string>();
  /** Tasks that are on their way into a lane, by channel. */
  const placing = new Map<string, number>();
  const waysOf = createFindWays(options);
  const tolls = createTollTaking(providers, options.tolls);
  const { settle, drain } = createSettling(options);
  const lanes = createLanes<Task>({
    limitsOf: (name): LaneLimits => ({
      concurrency: byName.get(name)?.limits?.concurrency ?? options.concurrency,
      perSecond: byName.get(name)?.limits?.perSecond,
    }),
    isStale: ({ leasedAt, expiresIn }) =>
      performance.now() - leasedAt > Math.min(STALE_AFTER_MILLISECONDS, expiresIn * 1000),
    carry,
    turnAway: (task) => void place(task, true),
    onRoom: options.onRoom,
    reserve: (name, count, perSecond) => reserveTurns(control, name, count, perSecond),
    random,
    now: () => performance.now(),
    onBreaker: options.onBreaker,
  });

  const judge = createJudge({ ...options, lanes });

  /** Finds a way for a task, which counts as taken on meanwhile: else all that is due would be claimed in one go. */
  async function place(task: Task, isTurnedAway: boolean): Promise<void> {
    const { channel } = task;
    placing.set(channel, (placing.get(channel) ?? 0) + 1);
    await find(task, isTurnedAway);
    const others = (placing.get(channel) ?? 1) - 1;
    placing.set(channel, others);
    if (others === 0) options.onRoom();
  }

  /** Puts a task into the lane of its best open way; where there is none it moves on, waits or ends. */
  async function find(task: Task, isTurnedAway: boolean): Promise<void> {
    const tenant = options.tenantOf(task.tenantId);
    if (!tenant) return end(task, 'failed', 'its tenant is gone');
    const found = await waysOf(task, tenant).catch((error: unknown) => {
      log.warn({ event: 'ways_unknown', message_id: task.id, error }, 'a linked chat could not be looked up');
      return undefined;
    });
    if (!found) return handBack(task, 1);
    // Out of reach is the address, not a chat that was linked to it.
    const isSuppressed = suppressions.has(task.tenantId, task.channel, task.content.to);
    const ways = isSuppressed ? found.filter(({ to }) => to !== task.content.to) : found;
    if (ways.length === 0) {
      const error = isSuppressed
        ? 'suppressed'
        : task.tried.length > 0
          ? 'every provider failed'
          : `no provider carries ${task.channel} there`;
      return conclude(task, tenant, { state: 'refused', error }, []);
    }
    const waits = ways.map(({ provider }) => lanes.shutFor(provider.name));
    const open = ways[waits.indexOf(0)];
    const isStale = performance.now() - task.leasedAt > STALE_AFTER_MILLISECONDS;
    if (open && !isStale) {
      const unpaid = await tolls.pay(task, tenant).catch((error: unknown) => {
        log.warn({ event: 'tolls_unknown', message_id: task.id, error }, 'the tolls could not be asked');
        return null;
      });
      if (unpaid === null) return handBack(task, 1);
      if (unpaid !== undefined)
        return conclude(task, tenant, { state: 'refused', error: `tolls: ${unpaid}` }, []);
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
    if (!tenant) return end(task, 'failed', 'its tenant is gone');
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
    judge(task, provider, result);
    const country = kindOfRecipient(task.content.to) === 'phone' ? phoneCountry(task.content.to) : null;
    const isSent = result.state === 'sent';
    const price = isSent ? costOf(tenant, name, task.channel, country) * segments : 0;
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
    tolls.giveChange(task, tenant, price);
    await settle(task.database, {
      ...settlementOf(task, 'sent'),
      toll: null,
      nextChannelIn: after === undefined ? null : silence === 0 ? 'whenOver' : silence,
      send: sendOf(task, name, result, country, price, tookMilliseconds),
    });
  }

  /** Writes where a task goes that was not sent. */
  async function conclude(
    task: Task,
    tenant: Tenant,
    result: Exclude<SendResult, { state: 'sent' }>,
    others: readonly Way[],
    name?: string,
    send: Settlement['send'] = null,
  ): Promise<void> {
    if (mayHaveLeft(result)) task.toll = null;
    const nextChannel = channelAfter(task.plan, task.channel);
    const left = {
      otherProvider: others.some(({ provider }) => lanes.shutFor(provider.name) === 0),
      nextChannel: nextChannel !== undefined,
    };
    const queued = { ...settlementOf(task, 'queued'), error: result.error, send };
    switch (onwardAfter(result, task.attempts, left)) {
      case 'other_provider':
        await settle(task.database, { ...queued, tried: [...task.tried, ...(name ? [name] : [])] });
        return;
      case 'next_channel':
        meter.fellBack(tenant.slug, task.channel, nextChannel ?? '');
        return leave(task, tenant, { ...queued, channel: nextChannel ?? '', tried: [], attempts: 0 });
      case 'again': {
        const retryInSeconds = retryDelay(task.attempts, random(), askedPause(result));
        await settle(task.database, { ...queued, tried: [], retryInSeconds });
        return;
      }
      case 'give_up':
        if (name !== undefined) {
          const { id, channel } = task;
          log.warn(
            {
              event: 'message_failed',
              ...{ tenant: tenant.slug, provider: name, channel, message_id: id, error: result.error },
            },
            'a message was not taken, and has no other way',
          );
        }
        return leave(task, tenant, { ...queued, state: 'failed' });
    }
  }

  /** Nothing was tried: it waits in the outbox, and that counts as no try. */
  async function handBack(task: Task, seconds: number): Promise<void> {
    const attempts = task.attempts - 1;
    await settle(task.database, { ...settlementOf(task, 'queued'), attempts, retryInSeconds: seconds });
  }

  /** It goes on or ends without having left by its channel: what was taken for that goes back. */
  async function leave(task: Claimed, tenant: Tenant | undefined, settlement: Settlement): Promise<void> {
    const isWritten = await settle(task.database, { ...settlement, toll: null });
    // Not written: whoever has the message now may send it for what was taken.
    if (isWritten && tenant && isOpened(task)) tolls.giveBack(task, tenant);
  }

  function end(task: Claimed, state: 'failed' | 'abandoned', error: string): Promise<void> {
    return leave(task, options.tenantOf(task.tenantId), { ...settlementOf(task, state), error });
  }

  return {
    take: (task) => void place(task, false),
    end,
    capacity() {
      const [full, shut]: [string[], string[]] = [[], []];
      const rooms: number[] = [];
      for (const channel of channels) {
        const names = providers.filter((provider) => provider.carries(channel)).map(({ name }) => name);
        if (names.length === 0) continue;
        // Which provider a message will go by is not known before: the one that has too much takes from the others' room.
        const room = names.reduce((sum, name) => sum + lanes.room(name), -(placing.get(channel) ?? 0));
        if (room > 0) rooms.push(room);
        else if (names.every((name) => lanes.shutFor(name) > 0)) shut.push(channel);
        else full.push(channel);
      }
      return { room: Math.min(2 * options.concurrency, ...rooms), full, shut };
    },
    async stop() {
      // Longer than a try: what it led to is to be written too.
      await lanes.stop(timeout + 2000);
      await drain();
    },
  };
}

function askedPause(result: SendResult): number {
  if (result.state !== 'retry') return 0;
  return Math.max(result.retryAfterSeconds ?? 0, result.notBeforeSeconds ?? 0);
}
