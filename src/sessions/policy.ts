import type { Tenant } from '../tenants/tenants.ts';

export { deviceNameOf } from '../kernel/device-name.ts';

/** An answer lost on its way may be asked for again for so long; later the token counts as stolen (S08). */
export const REFRESH_GRACE_SECONDS = 10;

/** Where a tenant's tokens come from: the public URL, and below it a path for each tenant but the default one. */
export function issuerOf(publicUrl: string, slug: string): string {
  return slug === 'default' ? publicUrl : `${publicUrl}/t/${slug}`;
}

/** Administrators sign in again each day, and after an hour without use (NIST SP 800-63B-4, 2.2.3; S37). */
export const ADMINISTRATOR_LIFE_SECONDS = 86_400;
const ADMINISTRATOR_IDLE_SECONDS = 3600;

/** After how many seconds without use a session is over; undefined: only its absolute life counts. */
export function idleSecondsOf(tenant: Tenant, role: string): number | undefined {
  const { sessionIdleSeconds } = tenant.policy;
  if (role !== 'admin') return sessionIdleSeconds;
  return Math.min(sessionIdleSeconds ?? ADMINISTRATOR_IDLE_SECONDS, ADMINISTRATOR_IDLE_SECONDS);
}

/**
 * Seconds a new access token lives: the tenant's choice, but never past the end of its session, and an administrator's
 * never longer than its session may lie unused.
 */
export function accessLifetime(tenant: Tenant, role: string, sessionEndsAt: Date, now: Date): number {
  const left = Math.floor((sessionEndsAt.getTime() - now.getTime()) / 1000);
  const most = role === 'admin' ? ADMINISTRATOR_IDLE_SECONDS : Infinity;
  return Math.max(1, Math.min(tenant.policy.accessTtlSeconds, left, most));
}
