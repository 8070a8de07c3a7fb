import { phoneCountry } from '../kernel/phone.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { costsMoney } from '../tolls/tolls.ts';
import type { Provider } from './provider.ts';

type Priced = Pick<Tenant, 'id' | 'policy'>;

/**
 * What a message costs by one provider, in the tenant's currency: the price named for it (`delivery.prices`), else for
 * SMS and calls what the tenant reckons with (`tolls.prices`, `tolls.price`). Tolls, statistics and metrics all read it here.
 */
export function costOf(tenant: Priced, provider: string, channel: string, country: string | null): number {
  const own = tenant.policy.delivery.priceOf(provider, country);
  if (own !== undefined) return own;
  return costsMoney(channel) ? tenant.policy.tolls.priceOf(country) : 0;
}

/** The providers that a tenant's messages may go by, in the order it lists them; stand-ins only where there is no other. */
export function providersFor(
  providers: readonly Provider[],
  tenant: Priced,
  channel: string,
): readonly Provider[] {
  const carrying = providers.filter((provider) => provider.carries(channel, tenant.id));
  const real = carrying.filter((provider) => !provider.isStandIn);
  const usable = real.length > 0 ? real : carrying;
  const names = tenant.policy.delivery.providersOf(channel);
  return names ? names.flatMap((name) => usable.filter((provider) => provider.name === name)) : usable;
}

/** What a message to a phone may cost at most, before it is known who carries it: so much is taken from the tolls. */
export function mostCost(
  providers: readonly Provider[],
  tenant: Priced,
  channel: string,
  phone: string,
): number {
  const country = phoneCountry(phone);
  const costs = providersFor(providers, tenant, channel).map(({ name }) =>
    costOf(tenant, name, channel, country),
  );
  return costs.length > 0 ? Math.max(...costs) : costOf(tenant, '', channel, country);
}
