import type { RequestClues } from '../signin/context.ts';
import type { Tenant, Tenants } from '../tenants/tenants.ts';

/** Whose pages these are, and where they stand. */
export interface Site {
  tenant: Tenant;
  /** '' for the tenant of a host, `/t/<slug>` for one named by the path. */
  base: string;
  /** False on the pages of nobody in particular: there a phone number may choose its market. */
  isNamed: boolean;
}

/** Finds whose pages a request wants: the tenant of the path, else of the host, else `default`. */
export function siteOf(
  tenants: Tenants,
  slug: string | undefined,
  host: string | undefined,
): Site | undefined {
  if (slug !== undefined) {
    const tenant = tenants.bySlug(slug);
    return tenant && { tenant, base: `/t/${tenant.slug}`, isNamed: true };
  }
  const tenant = tenants.resolve({ host });
  return tenant && { tenant, base: '', isNamed: host !== undefined && tenant.hosts.includes(host) };
}

/** What a use case is told of a visit: the tenant is the page's, whatever headers say. */
export function cluesFor(site: Site, clues: RequestClues, slug?: string): RequestClues {
  const named = slug ?? (site.isNamed ? site.tenant.slug : undefined);
  return { ...clues, tenantHeader: named, host: undefined };
}

/** Is a session of this tenant one of these pages'? */
export function belongsTo(site: Site, tenant: Tenant): boolean {
  return tenant.id === site.tenant.id || (!site.isNamed && tenant.kind === 'market');
}
