import type { Tenant } from '../tenants/tenants.ts';

export { deviceNameOf } from '../kernel/device-name.ts';

/** An answer lost on its way may be asked for again for so long; later the token counts as stolen (S08). */
export const REFRESH_GRACE_SECONDS = 10;

/** Where a tenant's tokens come from: the public URL, and below it a path for each tenant but the default one. */
export function issuerOf(publicUrl: string, slug: string): string {
  return slug === 'default' ? publicUrl : `${publicUrl}/t/${slug}`;
}

/** Seconds a new access token lives: the tenant's choice, but never past the end of its session. */
export function accessLifetime(tenant: Tenant, sessionEndsAt: Date, now: Date): number {
  const left = Math.floor((sessionEndsAt.getTime() - now.getTime()) / 1000);
  return Math.max(1, Math.min(tenant.policy.accessTtlSeconds, left));
}
