import { phoneCountry } from '../kernel/phone.ts';
import type { DeliveryPolicy, Tenant } from '../tenants/tenants.ts';
import { costsMoney } from '../tolls/tolls.ts';
import { providersFor } from './prices.ts';
import type { Provider } from './provider.ts';
import type { TollGate } from './toll-gate.ts';

export type AddressKind = 'phone' | 'email' | 'telegram';

/** Everything a phone's code may be sent by, in the order used where a tenant has said nothing. */
const PHONE_CHANNELS = ['sms', 'telegram', 'voice'] as const;

/** Which ways there are at all, whoever the recipient is. */
export interface Ways {
  providers: readonly Provider[];
  /** Can chats linked to phones be looked up? */
  knowsChats: boolean;
  /** Left out: no channel is closed for what it costs. */
  tolls?: Pick<TollGate, 'isOpen'> | undefined;
}

/** What kind of address a recipient is: messages hold the address alone. */
export function kindOfRecipient(to: string): AddressKind {
  if (to.startsWith('+')) return 'phone';
  return to.includes('@') ? 'email' : 'telegram';
}

/**
 * The channels that a code to this address may go by, in their order. Whether a phone has a linked chat is not looked
 * at here but when the message leaves: an answer must not tell it.
 * @param head a channel to begin with: the person's own choice
 */
export function planChannels(
  ways: Ways,
  tenant: Pick<Tenant, 'id' | 'policy'>,
  address: { kind: AddressKind; value: string },
  head?: string,
): string[] {
  const isPossible = (channel: string): boolean =>
    tenant.policy.channels.includes(channel) &&
    providersFor(ways.providers, tenant, channel).some((provider) =>
      reaches(ways, provider, channel, address.kind),
    );
  if (address.kind !== 'phone') {
    return [address.kind].map((kind) => kind as string).filter(isPossible);
  }
  const { routeOf } = tenant.policy.delivery;
  const route = routeOf(phoneCountry(address.value) ?? 'default').filter(isPossible);
  const planned = route.length > 0 ? route : PHONE_CHANNELS.filter(isPossible).slice(0, 1);
  // The first may be refused, with its reason; what follows is only promised where it may be let out at all.
  const isOpen = (channel: string, place: number): boolean =>
    place === 0 || !costsMoney(channel) || ways.tolls?.isOpen(tenant, address.value) !== false;
  if (head === undefined) return planned.filter(isOpen);
  if (!(PHONE_CHANNELS as readonly string[]).includes(head) || !isPossible(head)) return [];
  return [head, ...planned.filter((channel) => channel !== head)].filter(isOpen);
}

/** The channels a person may wish for, for an address of this kind, in words of a refusal. */
export function channelsOf(kind: AddressKind): readonly string[] {
  return kind === 'phone' ? PHONE_CHANNELS : [kind];
}

function reaches(ways: Ways, provider: Provider, channel: string, kind: AddressKind): boolean {
  if (channel !== 'telegram') return true;
  if (kind === 'phone') return provider.reachesByPhone === true || ways.knowsChats;
  return provider.reachesByPhone !== true;
}

/** How long providers take of late, from the hand-over to the used code; milliseconds. */
export type Speeds = ReadonlyMap<string, number>;

/**
 * A channel's providers in the order a tenant wants them. Who has no price comes after those who have one; who has not
 * been measured comes first, since otherwise it never would be.
 */
export function orderProviders(
  listed: readonly Provider[],
  policy: DeliveryPolicy,
  country: string | null,
  speeds: () => Speeds,
): readonly Provider[] {
  if (listed.length < 2 || policy.order === 'listed') return listed;
  const measured: Speeds = policy.order === 'fastest' ? speeds() : new Map();
  const rank = (provider: Provider): number =>
    policy.order === 'cheapest'
      ? (policy.priceOf(provider.name, country) ?? Infinity)
      : (measured.get(provider.name) ?? 0);
  return [...listed].sort((left, right) => {
    const [a, b] = [rank(left), rank(right)];
    return a === b ? 0 : a - b;
  });
}
