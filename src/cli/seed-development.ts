import type { Tenants } from '../tenants/tenants.ts';

/** The tenants that a new development server begins with. Ones that exist are left as they are. */
export async function seedDevelopment(tenants: Tenants, marketDatabases: ReadonlySet<string>): Promise<void> {
  await tenants.reload();
  const missing = [
    { slug: 'default', name: 'Firstproof', kind: 'application' as const, phonePrefixes: [], settings: {} },
    {
      slug: 'us',
      name: 'Market US',
      kind: 'market' as const,
      phonePrefixes: ['+1'],
      settings: { default_country: 'US' },
    },
    {
      slug: 'uz',
      name: 'Market UZ',
      kind: 'market' as const,
      phonePrefixes: ['+998'],
      settings: { default_country: 'UZ' },
    },
  ].filter((tenant) => !tenants.bySlug(tenant.slug));
  for (const tenant of missing) {
    await tenants.create({
      ...tenant,
      hosts: [],
      database: marketDatabases.has(tenant.slug) ? tenant.slug : null,
      locale: 'en',
      branding: {},
    });
  }
}
