import { phoneCountry } from '../kernel/phone.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { kindOfRecipient, orderProviders, type Speeds } from './plan.ts';
import { providersFor } from './prices.ts';
import type { ChatOf, OnStaleChat, Provider } from './provider.ts';
import type { Task } from './task.ts';

/** A provider, and the address as it takes it. */
export interface Way {
  provider: Provider;
  to: string;
}

export interface WaysOptions {
  providers: readonly Provider[];
  chatOf: ChatOf | undefined;
  onStaleChat?: OnStaleChat | undefined;
  speeds: () => Speeds;
}

/** Finds the ways of the channel whose turn it is, best first; those that have failed left out. */
export type FindWays = (task: Task, tenant: Tenant) => Promise<Way[]>;

export function createFindWays({ providers, chatOf, onStaleChat, speeds }: WaysOptions): FindWays {
  return async (task, tenant) => {
    const { channel, tenantId, content } = task;
    const { to } = content;
    const kind = kindOfRecipient(to);
    const ordered = orderProviders(
      providersFor(providers, tenant, channel),
      tenant.policy.delivery,
      kind === 'phone' ? phoneCountry(to) : null,
      speeds,
    ).filter((provider) => !task.tried.includes(provider.name));
    if (channel !== 'telegram') return ordered.map((provider) => ({ provider, to }));
    const byPhone = ordered.filter((provider) => provider.reachesByPhone === true);
    const byChat = ordered.filter((provider) => provider.reachesByPhone !== true);
    if (kind === 'telegram') return byChat.map((provider) => ({ provider, to }));
    // Notices go on: whom they warn is whoever the account was proved to be.
    const freshDays = content.code === null ? null : tenant.policy.telegram.reproveAfterDays;
    const linked = (await chatOf?.(task.database, tenantId, { kind, value: to }, freshDays)) ?? undefined;
    if (linked?.isStale) onStaleChat?.(task.database, tenantId, linked.chatId);
    const chat = linked?.isStale ? undefined : linked?.chatId;
    // A chat costs nothing and is known to be theirs: it goes first.
    return [
      ...(chat === undefined ? [] : byChat.map((provider) => ({ provider, to: chat }))),
      ...(kind === 'phone' ? byPhone.map((provider) => ({ provider, to })) : []),
    ];
  };
}
