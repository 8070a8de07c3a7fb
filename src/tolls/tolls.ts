import type { Config } from '../config/config.ts';
import type { Database } from '../db/database.ts';
import { createBatcher } from '../kernel/batcher.ts';
import type { Clock } from '../kernel/clock.ts';
import {
  BLOCK_SECONDS,
  type Counter,
  countersOf,
  isMoney,
  isPumped,
  readToll,
  tollChannels,
  type TollPolicy,
} from './policy.ts';
import {
  type Asked,
  blockRanges,
  giveToCounters,
  nameOf,
  readBlocks,
  readLedger,
  sweepTolls,
  takeFromCounters,
} from './store.ts';

export { sweepTolls };

/** Does a message by this channel cost the tenant money? */
export const costsMoney = (channel: string): boolean => tollChannels.includes(channel);

/** Who pays for a message that costs money, and where it goes. */
export interface TollRequest {
  tenantId: string;
  policy: TollPolicy;
  /** E.164. */
  phone: string;
  channel: string;
  /** What it may cost at most, in the tenant's currency. */
  price: number;
}

/** `unset`: the tenant has named no countries. Seconds until it may be asked again, where that helps. */
export type TollTaken =
  | { ok: true }
  | { ok: false; reason: 'unset' | 'country' | 'range' }
  | { ok: false; reason: 'blocked' | 'budget' | 'money'; retryAfter: number };

/** What one country cost on one day. */
export interface LedgerEntry {
  tenantId: string;
  day: string;
  channel: string;
  country: string;
  messages: number;
  money: number;
}

/** The guard against toll fraud: what SMS and calls may cost a tenant, shared by all servers (I9). */
export interface Tolls {
  /** Does this channel cost money for each message? */
  costs(channel: string): boolean;
  /** Would a message to this number be let out while every budget is full? */
  isOpen(policy: TollPolicy, phone: string): boolean;
  /** Takes one message from every budget it belongs to, or from none. */
  take(request: TollRequest): Promise<TollTaken>;
  /**
   * The message was not sent after all. Never rejects: what is not given back ends with its window.
   * @param secondsAgo when it was taken: a window that began since then never held it, and gets nothing
   */
  giveBack(request: TollRequest, secondsAgo?: number): Promise<void>;
  /** It was sent, and cost so much less (`price`) than was taken, or more where that is negative. Never rejects. */
  giveChange(request: TollRequest, secondsAgo: number): Promise<void>;
  /** Blocks the ranges whose codes are hardly ever typed, for an hour; gives those it blocked just now. */
  judge(
    tenantId: string,
    policy: TollPolicy,
    ranges: readonly { prefix: string; sent: number; verified: number }[],
  ): Promise<{ prefix: string; sent: number; verified: number }[]>;
  ledger(tenantId: string | null): Promise<LedgerEntry[]>;
}

export interface TollsOptions {
  database: Database;
  clock: Clock;
  /** In development every country is open to a tenant that has named none; relaxed budgets are a thousand times as large. */
  config: Pick<Config, 'mode' | 'budgets'>;
}

interface Item {
  tenantId: string;
  prefix: string;
  counters: Counter[];
}

const MONEY = 'day:money';
/** A request takes a moment before its message is written: when exactly is not known afterwards. */
const MARGIN_SECONDS = 60;

export function createTolls({ database, clock, config }: TollsOptions): Tolls {
  const openByDefault = config.mode === 'development';
  const factor = config.budgets === 'relaxed' ? 1000 : 1;
  const batcher = createBatcher<Item, TollTaken>({
    maxBatch: 200,
    flush: (items) => takeAll(database, items),
  });
  const dayOf = (secondsAgo: number): string =>
    new Date(clock.now().getTime() - secondsAgo * 1000).toISOString().slice(0, 10);

  async function give(request: TollRequest, secondsAgo: number, which: (counter: Counter) => boolean) {
    const { tenantId, policy, phone, channel, price } = request;
    const toll = readToll(phone, policy, openByDefault);
    if (!toll.ok) return;
    const given = countersOf(toll, channel, dayOf(secondsAgo), policy, price)
      .filter((counter) => counter.amount !== 0 && which(counter))
      .map((counter) => ({ ...counter, tenantId }));
    if (given.length === 0) return;
    const atMost = secondsAgo === 0 ? 0 : secondsAgo + MARGIN_SECONDS;
    await giveToCounters(database.sql, sorted(given), database.now(), atMost).catch(() => {});
  }

  return {
    costs: costsMoney,
    isOpen: (policy, phone) => readToll(phone, policy, openByDefault).ok,
    async take({ tenantId, policy, phone, channel, price }) {
      const toll = readToll(phone, policy, openByDefault);
      if (!toll.ok) return toll;
      const counters = countersOf(toll, channel, dayOf(0), policy, price).map((counter) => ({
        ...counter,
        most: Math.min(Number.MAX_SAFE_INTEGER, counter.most * factor),
      }));
      return batcher.add({ tenantId, prefix: toll.prefix, counters });
    },
    giveBack: (request, secondsAgo = 0) => give(request, secondsAgo, () => true),
    giveChange: (request, secondsAgo) => give(request, secondsAgo, isMoney),
    async judge(tenantId, policy, ranges) {
      const pumped = ranges.filter((range) => isPumped(range, policy.leastVerified));
      if (pumped.length === 0) return [];
      const blocked = await blockRanges(database.sql, tenantId, pumped, BLOCK_SECONDS, database.now());
      return pumped.filter((range) => blocked.includes(range.prefix));
    },
    async ledger(tenantId) {
      const entries = new Map<string, LedgerEntry>();
      for (const row of await readLedger(database.sql, tenantId)) {
        const [, day = '', channel = '', country = '', what] = row.key.split(':');
        const name = `${row.tenant_id} ${day} ${channel} ${country}`;
        const entry = entries.get(name) ?? {
          tenantId: row.tenant_id,
          day,
          channel,
          country,
          messages: 0,
          money: 0,
        };
        if (what === 'messages') entry.messages = row.used;
        else entry.money = row.used / 1_000_000;
        entries.set(name, entry);
      }
      return [...entries.values()].filter((entry) => entry.messages > 0);
    },
  };
}

/** One statement takes for many messages; then each, in its turn, gets everything it needs or nothing. */
async function takeAll(database: Database, items: readonly Item[]): Promise<TollTaken[]> {
  const { sql } = database;
  const ranges = items.map(({ tenantId, prefix }) => ({ tenantId, prefix }));
  const blocks = new Map(
    (await readBlocks(sql, ranges, database.now())).map((row) => [
      `${row.tenant_id} ${row.prefix}`,
      row.ends_in,
    ]),
  );
  const blockOf = (item: Item): number | undefined => blocks.get(`${item.tenantId} ${item.prefix}`);
  const sums = new Map<string, Asked>();
  for (const item of items) {
    if (blockOf(item) !== undefined) continue;
    for (const counter of item.counters) {
      const name = nameOf({ tenantId: item.tenantId, key: counter.key });
      const sum = sums.get(name);
      if (sum) sum.amount += counter.amount;
      else sums.set(name, { ...counter, tenantId: item.tenantId });
    }
  }
  const rows = sums.size === 0 ? [] : await takeFromCounters(sql, sorted([...sums.values()]), database.now());
  const left = new Map(rows.map((row) => [nameOf({ tenantId: row.tenant_id, key: row.key }), { ...row }]));
  const outcomes = items.map((item): TollTaken => {
    const blockedFor = blockOf(item);
    if (blockedFor !== undefined)
      return { ok: false, reason: 'blocked', retryAfter: Math.max(1, blockedFor) };
    const states = item.counters.map((counter) => ({
      counter,
      state: left.get(nameOf({ tenantId: item.tenantId, key: counter.key })),
    }));
    const full = states.find(({ counter, state }) => (state?.granted ?? 0) < counter.amount);
    if (full) {
      const reason = full.counter.key === MONEY ? 'money' : 'budget';
      return { ok: false, reason, retryAfter: Math.max(1, full.state?.ends_in ?? 1) };
    }
    for (const { counter, state } of states) if (state) state.granted -= counter.amount;
    return { ok: true };
  });
  // What one budget granted to messages that another refused goes back.
  const unused = rows.flatMap((row) => {
    const name = nameOf({ tenantId: row.tenant_id, key: row.key });
    const amount = left.get(name)?.granted ?? 0;
    const sum = sums.get(name);
    return sum && amount > 0 ? [{ ...sum, amount }] : [];
  });
  if (unused.length > 0) await giveToCounters(sql, sorted(unused), database.now(), 0);
  return outcomes;
}

function sorted(asked: readonly Asked[]): Asked[] {
  return asked.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
}
