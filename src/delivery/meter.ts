import { channels } from '../kernel/channels.ts';
import type { Metrics } from '../web/metrics.ts';
import type { Breaker } from './breaker.ts';

/** What is counted of deliveries by one server. Labels are names of ours; no address is among them. */
export interface DeliveryMeter {
  tried(
    way: { tenant: string; provider: string; channel: string; country: string | null },
    outcome: 'sent' | 'refused' | 'retry',
    price: number,
  ): void;
  /** Of the last minutes: how many of the codes sent a way were used, for every way in use in a database. */
  converted(database: string, ways: readonly ConvertedWay[]): void;
  fellBack(tenant: string, from: string, to: string): void;
  breaker(provider: string, state: Breaker['state']): void;
  /** What waits in a database, by channel; channels not named have nothing waiting. */
  queued(
    database: string,
    queue: readonly { channel: string; waiting: number; oldest_seconds: number }[],
  ): void;
  alarm(provider: string): void;
  reported(provider: string, outcome: 'applied' | 'repeated' | 'unknown'): void;
}

/** What became of the codes sent a way. */
interface ConvertedWay {
  tenant: string;
  provider: string;
  channel: string;
  country: string | null;
  sent: number;
  verified: number;
}

type WayLabels = Record<'tenant' | 'provider' | 'channel' | 'country', string>;

const BREAKER_STATES = { closed: 0, half_open: 1, open: 2 } as const;

/** Counts into the metrics of the management port; without them nowhere. */
export function createDeliveryMeter(metrics: Metrics | undefined): DeliveryMeter {
  const tries = metrics?.counter({
    name: 'firstproof_delivery_tries_total',
    help: 'Tries to hand a message to a provider, by outcome.',
    labelNames: ['tenant', 'provider', 'channel', 'country', 'outcome'],
  });
  const cost = metrics?.counter({
    name: 'firstproof_delivery_cost_total',
    help: 'Price of the messages taken by providers, in the currency of the tenant.',
    labelNames: ['tenant', 'provider', 'channel', 'country'],
  });
  const fallbacks = metrics?.counter({
    name: 'firstproof_delivery_fallbacks_total',
    help: 'Messages that went on to another channel without having been sent.',
    labelNames: ['tenant', 'from', 'to'],
  });
  const breakers = metrics?.gauge({
    name: 'firstproof_delivery_breaker_state',
    help: 'Circuit breaker of a provider: 0 closed, 1 probing, 2 open.',
    labelNames: ['provider'],
  });
  const waiting = metrics?.gauge({
    name: 'firstproof_delivery_queue_messages',
    help: 'Messages that are due and have not ended. The same on every server.',
    labelNames: ['database', 'channel'],
  });
  const ages = metrics?.gauge({
    name: 'firstproof_delivery_queue_age_seconds',
    help: 'How long the oldest message that is due has waited. The same on every server.',
    labelNames: ['database', 'channel'],
  });
  const alarms = metrics?.counter({
    name: 'firstproof_delivery_alarms_total',
    help: 'Refusals that somebody has to look at: credentials, configuration, money.',
    labelNames: ['provider'],
  });
  const reports = metrics?.counter({
    name: 'firstproof_delivery_reports_total',
    help: 'Delivery reports, by what they changed.',
    labelNames: ['provider', 'outcome'],
  });
  const conversion = metrics?.gauge({
    name: 'firstproof_delivery_conversion_ratio',
    help: 'Share of the codes sent in the last ten minutes that were used. The same on every server.',
    labelNames: ['tenant', 'provider', 'channel', 'country'],
  });
  /** Ways that have a conversion, by database: one that is not used any more is taken away, not left at its last. */
  const inUse = new Map<string, Map<string, WayLabels>>();
  return {
    converted(database, ways) {
      const now = new Map<string, WayLabels>();
      for (const { tenant, provider, channel, country, sent, verified } of ways) {
        if (sent === 0) continue;
        const way = { tenant, provider, channel, country: country ?? '' };
        now.set(Object.values(way).join(' '), way);
        conversion?.set(way, verified / sent);
      }
      for (const [key, way] of inUse.get(database) ?? []) if (!now.has(key)) conversion?.remove(way);
      inUse.set(database, now);
    },
    tried({ tenant, provider, channel, country }, outcome, price) {
      const way = { tenant, provider, channel, country: country ?? '' };
      tries?.inc({ ...way, outcome });
      if (price > 0) cost?.inc(way, price);
    },
    fellBack: (tenant, from, to) => fallbacks?.inc({ tenant, from, to }),
    breaker: (provider, state) => breakers?.set({ provider }, BREAKER_STATES[state]),
    queued(database, queue) {
      for (const channel of channels) {
        const state = queue.find((one) => one.channel === channel);
        waiting?.set({ database, channel }, state?.waiting ?? 0);
        ages?.set({ database, channel }, state?.oldest_seconds ?? 0);
      }
    },
    alarm: (provider) => alarms?.inc({ provider }),
    reported: (provider, outcome) => reports?.inc({ provider, outcome }),
  };
}
