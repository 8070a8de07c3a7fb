import type { Tenant } from '../../src/tenants/tenants.ts';
import { policyOf } from '../../src/tenants/policy.ts';

const settings = {
  channels: ['sms' as const, 'voice' as const],
  delivery: { routes: { default: ['sms' as const, 'voice' as const] }, next_channel_after_seconds: 0 },
};

/** The one tenant of the crash tests of delivery: a call where an SMS is refused. */
export const tenantForDelivery: Tenant = {
  ...{ id: '018f0000-0000-7000-8000-000000000001', slug: 'crash', name: 'Crash', kind: 'application' },
  ...{ phonePrefixes: [], hosts: [], database: null, locale: 'en', settings, branding: {} },
  policy: policyOf(settings),
};
