import type { Tenants } from '../tenants/tenants.ts';

/**
 * A new deployment begins with the tenant `default`, as a request that names no tenant belongs to it. A deployment
 * that has any tenant is left as it is.
 * @returns whether it was made
 */
export async function makeFirstTenant(tenants: Tenants): Promise<boolean> {
  await tenants.reload();
  if (tenants.all().length > 0) return false;
  return tenants.create({
    slug: 'default',
    name: 'Firstproof',
    kind: 'application',
    phonePrefixes: [],
    hosts: [],
    database: null,
    locale: 'en',
    settings: {},
    branding: {},
  });
}
