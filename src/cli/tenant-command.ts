import type { Config } from '../config/config.ts';
import { issuerOf } from '../sessions/sessions.ts';
import {
  brandingIssues,
  type NewTenant,
  type Tenant,
  type Tenants,
  tenantIssues,
  withoutTestCodes,
} from '../tenants/tenants.ts';
import { CliError } from './errors.ts';
import { json, table } from './table.ts';
import { readAssignments } from './tenant-assignments.ts';
import { atWorkbench, type Workbench } from './workbench.ts';

export interface NewTenantOptions {
  name?: string;
  market?: boolean;
  prefix?: string[];
  host?: string[];
  database?: string;
  country?: string;
  locale: string;
  json?: boolean;
}

/** `firstproof tenant create <slug>` */
export async function createTenant(config: Config, slug: string, options: NewTenantOptions): Promise<void> {
  if (options.prefix !== undefined && !options.market) {
    throw new CliError('A tenant that claims phone prefixes is a market: add --market', 2);
  }
  await atWorkbench(config, async (bench) => {
    const { tenants, keys } = bench.app;
    const tenant: NewTenant = {
      slug,
      name: options.name ?? slug,
      kind: options.market ? 'market' : 'application',
      phonePrefixes: options.prefix ?? [],
      hosts: options.host ?? [],
      database: options.database ?? null,
      locale: options.locale,
      settings: options.country === undefined ? {} : { default_country: options.country },
      branding: {},
    };
    refuseIssues(tenant, tenants.all());
    bench.databases.of(tenant.database);
    if (!(await tenants.create(tenant))) {
      throw new CliError(
        `There is a tenant "${slug}" already. To change it: firstproof tenant set ${slug} …`,
      );
    }
    const made = existing(tenants, slug);
    await keys.ensure(made.id);
    process.stdout.write(options.json ? json(asJson(made, bench)) : `Made the tenant "${slug}".\n`);
  });
}

/** `firstproof tenant list` */
export async function listTenants(config: Config, options: { json?: boolean }): Promise<void> {
  await atWorkbench(config, async (bench) => {
    const tenants = bench.app.tenants.all();
    const rows = tenants.map((tenant) => [
      tenant.slug,
      tenant.name,
      tenant.kind,
      tenant.phonePrefixes.join(' '),
      tenant.hosts.join(' '),
      tenant.database ?? 'control',
      tenant.locale,
    ]);
    process.stdout.write(
      options.json
        ? json(tenants.map((tenant) => asJson(tenant, bench)))
        : table(['slug', 'name', 'kind', 'prefixes', 'hosts', 'database', 'locale'], rows),
    );
  });
}

/** `firstproof tenant show <slug>` */
export async function showTenant(config: Config, slug: string, options: { json?: boolean }): Promise<void> {
  await atWorkbench(config, async (bench) => {
    const shown = asJson(existing(bench.app.tenants, slug), bench);
    const { settings, branding, ...facts } = shown;
    const rows = [
      ...Object.entries(facts).map(([key, value]) => [key, textOf(value)]),
      ...flatten('', { ...settings, branding }).map(([path, value]) => [path, textOf(value)]),
    ];
    process.stdout.write(options.json ? json(shown) : table(['setting', 'value'], rows));
  });
}

/** `firstproof tenant set <slug> path=value …` */
export async function setTenant(
  config: Config,
  slug: string,
  assignments: string[],
  options: { unset?: string[]; json?: boolean },
): Promise<void> {
  await atWorkbench(config, async (bench) => {
    const { tenants } = bench.app;
    const tenant = existing(tenants, slug);
    const { changes, shown } = readAssignments(tenant, assignments, options.unset ?? []);
    refuseIssues({ ...tenant, ...changes }, tenants.all());
    await tenants.update(tenant, changes);
    process.stdout.write(
      options.json
        ? json(asJson(existing(tenants, slug), bench))
        : table(
            ['setting', 'before', 'after'],
            shown.map((one) => [one.path, one.before, one.after]),
          ),
    );
  });
}

/** The tenant of this slug. @throws CliError that names the ones there are */
export function existing(tenants: Tenants, slug: string): Tenant {
  const tenant = tenants.bySlug(slug);
  if (tenant) return tenant;
  const known = tenants.all().map((one) => one.slug);
  throw new CliError(
    `There is no tenant "${slug}". ${known.length > 0 ? `There are: ${known.join(', ')}` : `Make it: firstproof tenant create ${slug}`}`,
  );
}

function refuseIssues(tenant: NewTenant, others: readonly Tenant[]): void {
  const issues = [
    ...tenantIssues(tenant, others),
    ...brandingIssues(tenant.branding).map(({ path, message }) => ({ path: `/branding${path}`, message })),
  ];
  if (issues.length === 0) return;
  const lines = issues.map(({ path, message }) => {
    const name = path
      .replace(/^\/settings\//, '')
      .replace(/^\//, '')
      .replaceAll('/', '.');
    return `  ${name} ${message}`;
  });
  throw new CliError(`Nothing was changed:\n${lines.join('\n')}`, 2);
}

function asJson(tenant: Tenant, { publicUrl }: Workbench) {
  const issuer = issuerOf(publicUrl, tenant.slug);
  return {
    id: tenant.id,
    slug: tenant.slug,
    name: tenant.name,
    kind: tenant.kind,
    phone_prefixes: tenant.phonePrefixes,
    hosts: tenant.hosts,
    database: tenant.database ?? 'control',
    locale: tenant.locale,
    issuer,
    audience: tenant.slug,
    jwks_uri: `${publicUrl}/t/${tenant.slug}/.well-known/jwks.json`,
    settings: withoutTestCodes(tenant.settings),
    branding: tenant.branding,
  };
}

function flatten(prefix: string, value: object): [string, unknown][] {
  return (Object.entries(value) as [string, unknown][]).flatMap(([name, inner]): [string, unknown][] =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? flatten(`${prefix}${name}.`, inner)
      : [[`${prefix}${name}`, inner]],
  );
}

function textOf(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
