import type { Database, Sql } from '../db/database.ts';
import type { Feed } from '../db/feed.ts';
import type { Refused } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { Secrets } from '../kernel/secrets.ts';
import type { Branding } from './branding.ts';
import { oneAtATime } from '../kernel/one-at-a-time.ts';
import {
  acceptsPhone,
  chooseTenant,
  policyOf,
  settingsSchema,
  type TenantClues,
  type TenantPolicy,
  type TenantSettings,
} from './policy.ts';
import {
  type ChangedBy,
  insertTenant,
  lockTenants,
  readTenants,
  TENANTS_TOPIC,
  type TenantRow,
  updateTenant,
} from './store.ts';

import { openTestCode, sealTestCodes, type TestAddress } from './test-addresses.ts';

export type { TenantClues, TenantPolicy, TenantSettings };
export { acceptsPhone, settingsSchema };
export type { ChangedBy };
export type { DeliveryPolicy } from './delivery-settings.ts';
export { customFieldIssues } from './custom-fields.ts';
export type { CustomFieldsSchema } from './custom-fields-schema.ts';
export { oneLineText } from './one-line-text.ts';
export { tenantIssues } from './tenant-issues.ts';
export { keepTestCodes, readTestAddress, type TestAddress, withoutTestCodes } from './test-addresses.ts';
export {
  type Brand,
  type Branding,
  brandingIssues,
  brandingSchema,
  brandOf,
  codeTemplates,
  type MessageOverride,
  type TemplateName,
  templateNames,
} from './branding.ts';
export {
  createTelegramLogins,
  type TelegramLogins,
  type TenantTelegramLogin,
} from './telegram-logins.ts';
export { createTelegramBots, type TelegramBot, type TelegramBots } from './telegram-bots.ts';
export {
  type ApiKeyScope,
  type ApiKeys,
  apiKeyScopes,
  createApiKeys,
  type KnownApiKey,
  newApiKeyText,
} from './api-keys.ts';

export interface Tenant {
  id: string;
  slug: string;
  name: string;
  kind: 'application' | 'market';
  phonePrefixes: readonly string[];
  hosts: readonly string[];
  /** Name of the database its rows live in; null: the control database. */
  database: string | null;
  locale: string;
  settings: TenantSettings;
  branding: Branding;
  policy: TenantPolicy;
}

/** The tenants of the deployment, held in memory: no request ever asks the database whose it is. */
export interface Tenants {
  /** The tenant a request belongs to, or undefined when it names one that does not exist. */
  resolve(clues: TenantClues): Tenant | undefined;
  byId(id: string): Tenant | undefined;
  bySlug(slug: string): Tenant | undefined;
  all(): readonly Tenant[];
  /** The fixed code of a test address; undefined when its secret is gone. */
  testCodeOf(tenant: Tenant, entry: TestAddress): string | undefined;
  /** Reads them anew; also called when another server tells of a change. */
  reload(): Promise<void>;
  /** @returns false when the slug is taken */
  create(tenant: NewTenant): Promise<boolean>;
  update(tenant: Tenant, changes: TenantChanges): Promise<void>;
  /**
   * Makes or changes a tenant after a look at all of them as the database has them now, while no other server changes
   * any: two tenants never get one slug, prefix or host, and of two changes at once neither is lost.
   */
  edit(
    decide: (all: readonly Tenant[]) => TenantEdit | Refused,
    by: ChangedBy,
  ): Promise<{ ok: true; tenant: Tenant } | Refused>;
  /** Called after each reload. */
  onChange(listener: () => void): void;
  /** Follows the changes that other servers make, for as long as the feed runs. */
  follow(feed: Feed): void;
}

export type NewTenant = Omit<Tenant, 'id' | 'policy'>;
export type TenantChanges = Partial<
  Pick<Tenant, 'name' | 'phonePrefixes' | 'hosts' | 'locale' | 'settings' | 'branding'>
>;

/** What is to be written: a new tenant, or changes to one of those looked at. */
export type TenantEdit =
  | { ok: true; create: NewTenant }
  | { ok: true; change: Tenant; changes: TenantChanges };

/** Changes made at the terminal, or by the server itself. */
const BY_OPERATOR: ChangedBy = { actor: 'system', caller: undefined };

export interface TenantsOptions {
  database: Database;
  newId: () => string;
  /** Seals the codes of test addresses. */
  secrets: Secrets;
  log: Log;
}

export function createTenants(options: TenantsOptions): Tenants {
  const { database, log } = options;
  const { sql } = database;
  let bySlug: ReadonlyMap<string, Tenant> = new Map();
  let byId: ReadonlyMap<string, Tenant> = new Map();
  const listeners: (() => void)[] = [];

  const reload = oneAtATime(async () => {
    const tenants = (await readTenants(sql)).map(tenantOf);
    bySlug = new Map(tenants.map((tenant) => [tenant.slug, tenant]));
    byId = new Map(tenants.map((tenant) => [tenant.id, tenant]));
    for (const listener of listeners) listener();
  });

  function reloadInBackground(): void {
    reload().catch((error: unknown) =>
      log.warn({ event: 'tenants_reload', error }, 'tenants could not be read'),
    );
  }

  /** No row is written with a code in clear. */
  function sealed(tenant: Omit<Tenant, 'policy'>): TenantRow {
    const row = rowOf(tenant);
    return { ...row, settings: sealTestCodes(row.settings, tenant.id, options.secrets, options.newId) };
  }

  const recordOf = (by: ChangedBy) => ({ ...by, id: options.newId(), now: database.now() });

  return {
    resolve: (clues) => chooseTenant(bySlug, clues),
    byId: (id) => byId.get(id),
    bySlug: (slug) => bySlug.get(slug),
    all: () => [...bySlug.values()],
    testCodeOf: (tenant, entry) => openTestCode(entry, tenant.id, options.secrets),
    reload,
    async create(tenant) {
      const row = sealed({ ...tenant, id: options.newId() });
      const inserted = await insertTenant(sql, row, recordOf(BY_OPERATOR));
      if (inserted) await reload();
      return inserted;
    },
    async update(tenant, changes) {
      await updateTenant(sql, sealed({ ...tenant, ...changes }), {
        ...recordOf(BY_OPERATOR),
        fields: Object.keys(changes),
      });
      await reload();
    },
    async edit(decide, by) {
      const outcome = await database.transaction(async (begun) => {
        const transaction = begun as unknown as Sql;
        await lockTenants(transaction);
        const decision = decide((await readTenants(transaction)).map(tenantOf));
        if (!decision.ok) return decision;
        if ('create' in decision) {
          const row = sealed({ ...decision.create, id: options.newId() });
          await insertTenant(transaction, row, recordOf(by));
          return { ok: true as const, tenant: tenantOf(row) };
        }
        const row = sealed({ ...decision.change, ...decision.changes });
        await updateTenant(transaction, row, { ...recordOf(by), fields: Object.keys(decision.changes) });
        return { ok: true as const, tenant: tenantOf(row) };
      });
      if (outcome.ok) await reload();
      return outcome;
    },
    onChange: (listener) => listeners.push(listener),
    follow(feed) {
      feed.on(TENANTS_TOPIC, reloadInBackground);
      feed.onRestored(reload);
    },
  };
}

function tenantOf(row: TenantRow): Tenant {
  const { phone_prefixes: phonePrefixes, ...rest } = row;
  return { ...rest, phonePrefixes, policy: policyOf(row.settings) };
}

function rowOf(tenant: Omit<Tenant, 'policy'>): TenantRow {
  return {
    id: tenant.id,
    slug: tenant.slug,
    name: tenant.name,
    kind: tenant.kind,
    phone_prefixes: [...tenant.phonePrefixes],
    hosts: [...tenant.hosts],
    database: tenant.database,
    locale: tenant.locale,
    settings: tenant.settings,
    branding: tenant.branding,
  };
}
