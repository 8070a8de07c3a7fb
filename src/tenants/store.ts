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

/** `select …` from rows with `tenant_id`: when the transaction commits, every server reads its tenants anew. */
export function tellServers(sql: Sql): Fragment {
  return sql`select pg_notify(${FEED_CHANNEL}, ${`${TENANTS_TOPIC}:`} || tenant_id)`;
}

export interface TenantChange extends ChangedBy {
  tenantId: string;
  /** `insert …`, `update …` or `delete …` that gives `tenant_id` where it has changed something. */
  write: Fragment;
  /** Of its audit event. */
  id: string;
  action: string;
  /** SQL over `written`, what `write` gave. */
  subject: Fragment;
  /** SQL of type jsonb. */
  data?: Fragment;
  now: Fragment;
}

/** Changes something of a tenant, records it, and tells every server: one statement. False when nothing changed. */
export async function changeTenant(sql: Sql, change: TenantChange): Promise<boolean> {
  const rows = await sql`
    with written as (${change.write}),
    audited as (${recordEvent(sql, {
      tenantId: change.tenantId,
      id: sql`${change.id}::uuid`,
      action: sql`${change.action}`,
      actor: sql`${change.actor}`,
      subject: change.subject,
      caller: change.caller,
      now: change.now,
      ...(change.data ? { data: change.data } : {}),
      from: sql`written`,
    })})
    ${tellServers(sql)} from written`;
  return rows.length > 0;
}

type ChangeRecord = ChangedBy & Pick<TenantChange, 'id' | 'now'>;

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
export function insertTenant(sql: Sql, tenant: TenantRow, by: ChangeRecord): Promise<boolean> {
  return changeTenant(sql, {
    ...by,
    ...recordOf(sql, tenant, []),
    action: 'tenant.created',
    write: sql`
      insert into tenants (id, slug, name, kind, phone_prefixes, hosts, database, locale, settings, branding)
      values (${tenant.id}, ${tenant.slug}, ${tenant.name}, ${tenant.kind}, ${tenant.phone_prefixes},
        ${tenant.hosts}, ${tenant.database}, ${tenant.locale},
        ${sql.json(tenant.settings as never)}, ${sql.json(tenant.branding as never)})
      on conflict (slug) do nothing returning id as tenant_id`,
  });
}

/** Replaces what may change: everything but id, slug, kind and database, which rows and tokens rely on. */
export async function updateTenant(
  sql: Sql,
  tenant: TenantRow,
  by: ChangeRecord & { fields: readonly string[] },
): Promise<void> {
  await changeTenant(sql, {
    ...by,
    ...recordOf(sql, tenant, by.fields),
    action: 'tenant.changed',
    write: sql`
      update tenants set name = ${tenant.name}, phone_prefixes = ${tenant.phone_prefixes},
        hosts = ${tenant.hosts}, locale = ${tenant.locale}, settings = ${sql.json(tenant.settings as never)},
        branding = ${sql.json(tenant.branding as never)}, updated_at = now()
      where id = ${tenant.id} returning id as tenant_id`,
  });
}

/** Which fields a change is of, for the audit: never what they say. */
function recordOf(
  sql: Sql,
  tenant: TenantRow,
  fields: readonly string[],
): Pick<TenantChange, 'tenantId' | 'subject' | 'data'> {
  return {
    tenantId: tenant.id,
    subject: sql`${`tenant:${tenant.slug}`}`,
    data: sql`jsonb_build_object('fields', ${[...fields]}::text[])`,
  };
}
