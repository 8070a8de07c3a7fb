import { type Refused, refuse } from '../kernel/errors.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { RequestClues, SignInContext } from './context.ts';

/** How people may sign in at a tenant, and how its pages look: nothing that a stranger does not see there anyway. */
export interface SignInWays {
  ok: true;
  tenant: Tenant;
  /** Kinds of address to which a code can be sent, in the tenant's order. */
  byCode: ('phone' | 'email' | 'telegram')[];
  /** By what a password may be given; empty where there are none. */
  byPassword: ('phone' | 'email' | 'username')[];
  /** Is there a bot in which a sign-in can be confirmed? */
  byTelegramLink: boolean;
}

/** Kinds of address to which this tenant's codes can be sent now: allowed by it, and carried by a provider. */
export function codeWaysOf(context: Pick<SignInContext, 'delivery'>, tenant: Tenant): SignInWays['byCode'] {
  const { identifiers, channels } = tenant.policy;
  const sends = (channel: string): boolean =>
    channels.includes(channel) && context.delivery.offers(channel, tenant);
  return [...identifiers.filter((identifier) => identifier !== 'username'), 'telegram' as const].filter(
    (way) => sends(way === 'phone' ? 'sms' : way),
  );
}

/** Can people confirm a sign-in in this tenant's bot? */
export function hasTelegramLink(context: Pick<SignInContext, 'telegram'>, tenant: Tenant): boolean {
  return tenant.policy.channels.includes('telegram') && context.telegram.linkOf(tenant.id) !== undefined;
}

/** Tells a sign-in form of one's own what to offer. No database is asked. */
export function signInWays(
  context: SignInContext,
  input: { tenant?: string },
  clues: RequestClues,
): SignInWays | Refused {
  const named = { header: clues.tenantHeader, body: input.tenant, host: clues.host };
  const tenant = context.tenants.resolve(named);
  if (!tenant) return refuse('TENANT_NOT_FOUND');
  const { identifiers, passwords } = tenant.policy;
  return {
    ok: true,
    tenant,
    byCode: codeWaysOf(context, tenant),
    byPassword: passwords.enabled ? [...identifiers] : [],
    byTelegramLink: hasTelegramLink(context, tenant),
  };
}
