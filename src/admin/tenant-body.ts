import { Type } from 'typebox';
import type { Issue } from '../kernel/errors.ts';
import { SUPPORTED_LOCALES } from '../kernel/locale.ts';
import {
  type Branding,
  brandingIssues,
  keepTestCodes,
  type NewTenant,
  oneLineText,
  type Tenant,
  tenantIssues,
  type TenantSettings,
  withoutTestCodes,
} from '../tenants/tenants.ts';
import { closed } from '../web/schemas.ts';
import { mergePatch } from './merge-patch.ts';

const anyObject = (description: string) => Type.Record(Type.String(), Type.Unknown(), { description });
const name = Type.String({
  minLength: 1,
  maxLength: 100,
  ...oneLineText,
  description: 'What people read in messages and pages.',
});
const changeable = {
  name: Type.Optional(name),
  locale: Type.Optional(
    Type.Enum([...SUPPORTED_LOCALES], {
      description: 'Language of messages where a person asks for none.',
    }),
  ),
  hosts: Type.Optional(
    Type.Array(Type.String({ maxLength: 253 }), {
      maxItems: 50,
      uniqueItems: true,
      description: 'Host names that lead to it.',
    }),
  ),
  phone_prefixes: Type.Optional(
    Type.Array(Type.String({ maxLength: 8 }), {
      maxItems: 50,
      uniqueItems: true,
      description: 'Prefixes a market claims, such as +998.',
    }),
  ),
  settings: Type.Optional(
    anyObject('What the tenant decides for itself; what is left out has a safe default.'),
  ),
  branding: Type.Optional(
    anyObject(
      'logo_url, colours.primary (#rrggbb), support_address, and messages: the tenant’s own words as ' +
        'messages.<template>.<locale>.subject, .text and .sms with {{tenant}}, {{name}}, {{code}}, {{minutes}} …',
    ),
  ),
};

/** POST */
export const NewTenantBody = Type.Object(
  {
    slug: Type.String({ maxLength: 63, description: 'Its name in addresses and headers; never changes.' }),
    ...changeable,
    name,
    kind: Type.Optional(Type.Enum(['application', 'market'])),
    database: Type.Optional(
      Type.String({ maxLength: 63, description: 'A database of FIRSTPROOF_DATABASES to keep its rows in.' }),
    ),
  },
  closed,
);

/** PATCH: a JSON Merge Patch (RFC 7396). */
export const TenantPatch = Type.Object(changeable, closed);

/** A tenant as the admin API shows it. There is nothing secret in it: codes of test addresses are left out, keys and addresses of databases lie elsewhere. */
export const TenantAnswer = Type.Object(
  {
    id: Type.String(),
    slug: Type.String(),
    name: Type.String(),
    kind: Type.Enum(['application', 'market']),
    phone_prefixes: Type.Array(Type.String()),
    hosts: Type.Array(Type.String()),
    database: Type.Union([Type.String(), Type.Null()], {
      description: 'Name of the database of its rows; null: the control database.',
    }),
    locale: Type.String(),
    settings: anyObject('As they were set; what is left out has its default.'),
    branding: anyObject('As it was set.'),
  },
  { description: 'A tenant.' },
);

interface Changeable {
  name?: string;
  locale?: string;
  hosts?: string[];
  phone_prefixes?: string[];
  settings?: Record<string, unknown>;
  branding?: Record<string, unknown>;
}

/** The tenant that a POST describes. */
export function newTenantOf(
  body: Changeable & { slug: string; name: string; kind?: 'application' | 'market'; database?: string },
): NewTenant {
  return {
    slug: body.slug,
    name: body.name,
    kind: body.kind ?? 'application',
    phonePrefixes: body.phone_prefixes ?? [],
    hosts: body.hosts ?? [],
    database: body.database ?? null,
    locale: body.locale ?? 'en',
    // Checked as a whole by issuesOf(), before anything is written.
    settings: keepTestCodes({}, mergePatch({}, body.settings ?? {}) as TenantSettings),
    branding: mergePatch({}, body.branding ?? {}) as Branding,
  };
}

/** What a PATCH makes of a tenant: only the members it names. */
export function changesOf(tenant: Tenant, body: Changeable) {
  return {
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.locale === undefined ? {} : { locale: body.locale }),
    ...(body.hosts === undefined ? {} : { hosts: body.hosts }),
    ...(body.phone_prefixes === undefined ? {} : { phonePrefixes: body.phone_prefixes }),
    ...(body.settings === undefined
      ? {}
      : {
          settings: keepTestCodes(
            tenant.settings,
            mergePatch(tenant.settings, body.settings) as TenantSettings,
          ),
        }),
    ...(body.branding === undefined
      ? {}
      : { branding: mergePatch(tenant.branding, body.branding) as Branding }),
  };
}

/** What is wrong with a tenant that is about to be written: a path and a sentence a field. */
export function issuesOf(
  tenant: NewTenant,
  others: readonly Tenant[],
  databaseNames: readonly string[],
): Issue[] {
  const issues: Issue[] = tenantIssues(tenant, others);
  for (const issue of brandingIssues(tenant.branding)) {
    issues.push({ ...issue, path: `/branding${issue.path === '/' ? '' : issue.path}` });
  }
  if (tenant.database !== null && !databaseNames.includes(tenant.database)) {
    issues.push({ path: '/database', message: 'is not configured in FIRSTPROOF_DATABASES' });
  }
  return issues.slice(0, 20);
}

export function answerOf(tenant: Tenant) {
  return {
    id: tenant.id,
    slug: tenant.slug,
    name: tenant.name,
    kind: tenant.kind,
    phone_prefixes: [...tenant.phonePrefixes],
    hosts: [...tenant.hosts],
    database: tenant.database,
    locale: tenant.locale,
    settings: { ...withoutTestCodes(tenant.settings) } as Record<string, unknown>,
    branding: { ...tenant.branding } as Record<string, unknown>,
  };
}
