import type { TolledMessage, TollGate } from '../delivery/delivery.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { Tolls } from '../tolls/tolls.ts';
import { type Announcer, announceMoney } from './announce-money.ts';

/** The tolls for messages that go on to SMS or a call: the same budgets that requests take from. */
export function createTollGate(tolls: Tolls, announcer: Announcer): TollGate {
  const requestOf = (tenant: Tenant, message: TolledMessage) => ({
    ...{ tenantId: tenant.id, policy: tenant.policy.tolls },
    ...message,
  });
  return {
    isOpen: (tenant, phone) => tolls.isOpen(tenant.policy.tolls, phone),
    async take(tenant, message) {
      const taken = await tolls.take(requestOf(tenant, message));
      if (!taken.ok && taken.reason === 'money') await announceMoney(announcer, tenant, taken.retryAfter);
      return taken;
    },
    giveBack: (tenant, message, secondsAgo) => tolls.giveBack(requestOf(tenant, message), secondsAgo),
    giveChange: (tenant, message, secondsAgo) => tolls.giveChange(requestOf(tenant, message), secondsAgo),
  };
}
