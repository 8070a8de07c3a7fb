import { type Caller, recordEvent } from '../audit/audit.ts';
import type { Fragment, Sql } from '../db/database.ts';
import { FEED_CHANNEL } from '../db/feed.ts';
import type { Branding } from './branding.ts';
import type { TenantSettings } from './policy.ts';

export interface TenantRow {
  id: string;
  slug: string;
  name: string;
  kind: 'application' | 'market';
  phone_prefixes: string[];
  hosts: string[];
  database: string | null;
  locale: string;
  settings: TenantSettings;
  branding: Branding;
}

/** The topic by which servers learn that a tenant was made or changed. */
export const TENANTS_TOPIC = 'tenants';

/** Whose change it is, for the audit. */
export interface ChangedBy {
  /** `api_key:<id>` or `system`. */
  actor: string;
  caller: Caller | undefined;
}

interface ChangeRecord extends ChangedBy {
  id: string;
  now: Fragment;
}

/** Whoever else wants to change a tenant waits; nobody who reads does. Held until the transaction ends. */
export async function lockTenants(sql: Sql): Promise<void> {
  await sql`lock table tenants in share row exclusive mode`;
}

export function readTenants(sql: Sql): Promise<TenantRow[]> {
  return sql<TenantRow[]>`
    select id, slug, name, kind, phone_prefixes, hosts, database, locale, settings, branding
    from tenants order by slug`;
}

/** Inserts, or answers false when the slug is taken. */
export async function insertTenant(sql: Sql, tenant: TenantRow, by: ChangeRecord): Promise<boolean> {
  const rows = await sql`
    with inserted as (
      insert into tenants (id, slug, name, kind, phone_prefixes, hosts, database, locale, settings, branding)
      values (${tenant.id}, ${tenant.slug}, ${tenant.name}, ${tenant.kind}, ${tenant.phone_prefixes},
        ${tenant.hosts}, ${tenant.database}, ${tenant.locale},
        ${sql.json(tenant.settings as never)}, ${sql.json(tenant.branding as never)})
      on conflict (slug) do nothing returning id
    ), audited as (${record(sql, tenant, by, 'tenant.created', [])})
    select pg_notify(${FEED_CHANNEL}, ${`${TENANTS_TOPIC}:`} || id) from inserted`;
  return rows.length > 0;
}

/** Replaces what may change: everything but id, slug, kind and database, which rows and tokens rely on. */
export async function updateTenant(
  sql: Sql,
  tenant: TenantRow,
  by: ChangeRecord & { fields: readonly string[] },
): Promise<void> {
  await sql`
    with updated as (
      update tenants set name = ${tenant.name}, phone_prefixes = ${tenant.phone_prefixes},
        hosts = ${tenant.hosts}, locale = ${tenant.locale}, settings = ${sql.json(tenant.settings as never)},
        branding = ${sql.json(tenant.branding as never)}, updated_at = now()
      where id = ${tenant.id} returning id
    ), audited as (${record(sql, tenant, by, 'tenant.changed', by.fields)})
    select pg_notify(${FEED_CHANNEL}, ${`${TENANTS_TOPIC}:`} || id) from updated`;
}

/** The audit row, written by the statement of the change: which fields, never what they say. */
function record(
  sql: Sql,
  tenant: TenantRow,
  by: ChangeRecord,
  action: 'tenant.created' | 'tenant.changed',
  fields: readonly string[],
): Fragment {
  return recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${by.id}::uuid`,
    action: sql`${action}`,
    actor: sql`${by.actor}`,
    subject: sql`${`tenant:${tenant.slug}`}`,
    caller: by.caller,
    now: by.now,
    data: sql`jsonb_build_object('fields', ${[...fields]}::text[])`,
    from: action === 'tenant.created' ? sql`inserted` : sql`updated`,
  });
}
