import type { Tenant } from '../tenants/tenants.ts';
import { costsMoney } from '../tolls/tolls.ts';
import { mostCost } from './prices.ts';
import type { Provider } from './provider.ts';
import { secondsSince, type Task } from './task.ts';

/** A message that costs money, as the tolls count it. */
export interface TolledMessage {
  /** E.164. */
  phone: string;
  channel: string;
  /** In the tenant's currency. */
  price: number;
}

/** What SMS and calls may cost (S23), shared by all servers. */
export interface TollGate {
  /** Would one be let out while every budget is full? Told by the number alone, without a look into the database. */
  isOpen(tenant: Pick<Tenant, 'policy'>, phone: string): boolean;
  /** Takes one from every budget it belongs to, or from none. @throws where the database is away */
  take(tenant: Tenant, message: TolledMessage): Promise<{ ok: true } | { ok: false; reason: string }>;
  /** It did not leave. Never rejects. @param secondsAgo when it was taken */
  giveBack(tenant: Tenant, message: TolledMessage, secondsAgo: number): Promise<void>;
  /** It left, and cost so much less than was taken, or more where that is negative. Never rejects. */
  giveChange(tenant: Tenant, message: TolledMessage, secondsAgo: number): Promise<void>;
}

/** The tolls of a task: paid before an SMS or a call leaves that no request has paid for. */
export interface TollTaking {
  /** Pays for the channel whose turn it is, unless that is done. @returns why it may not leave by it */
  pay(task: Task, tenant: Tenant): Promise<string | undefined>;
  /** The task leaves its channel, or ends, without a try that may have left: what was taken goes back. */
  giveBack(task: Task, tenant: Tenant): void;
  /** It left at this price: what was taken beyond it goes back, what is missing (an SMS of several segments) is paid. */
  giveChange(task: Task, tenant: Tenant, price: number): void;
}

/** @param gate left out: nothing is counted */
export function createTollTaking(providers: readonly Provider[], gate: TollGate | undefined): TollTaking {
  const messageOf = ({ channel, content }: Task, price: number): TolledMessage => ({
    ...{ phone: content.to, channel, price },
  });
  return {
    async pay(task, tenant) {
      if (!gate || task.toll || !costsMoney(task.channel)) return undefined;
      const price = mostCost(providers, tenant, task.channel, task.content.to);
      const takenAt = performance.now();
      const taken = await gate.take(tenant, messageOf(task, price));
      if (!taken.ok) return taken.reason;
      task.toll = { price, takenAt };
      return undefined;
    },
    giveBack(task, tenant) {
      if (task.toll) void gate?.giveBack(tenant, messageOf(task, task.toll.price), secondsSince(task.toll));
    },
    giveChange(task, tenant, price) {
      const change = task.toll ? task.toll.price - price : 0;
      if (task.toll && Math.abs(change) > 1e-9)
        void gate?.giveChange(tenant, messageOf(task, change), secondsSince(task.toll));
    },
  };
}
