import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { channels } from '../kernel/channels.ts';
import { type AuditPolicy, auditPolicyOf, auditSchema } from './audit-settings.ts';
import { type CustomFieldsSchema, customFieldsSchemaIssue } from './custom-fields-schema.ts';
import { countryCode } from './country-code.ts';
import { type DeliveryPolicy, deliveryPolicyOf, deliverySettingsSchema } from './delivery-settings.ts';
import { type TelegramPolicy, telegramPolicyOf, telegramSettings } from './telegram-settings.ts';
import { schemaIssues, textOf } from '../web/schema-issues.ts';
import { type SmsPolicy, smsIssues, smsPolicyOf, smsSettings } from './sms-settings.ts';
import {
  type TestAddress,
  testAddressesOf,
  testAddressesSchema,
  testAddressIssues,
} from './test-addresses.ts';
import { type TollPolicy, tollPolicyOf, tollSettings } from './toll-settings.ts';
import {
  type RecycledNumbersPolicy,
  recycledNumbersPolicyOf,
  recycledNumbersSchema,
} from './recycled-settings.ts';
import { allowedOriginIssues, allowedOriginsSchema } from './origin-settings.ts';
import { returnAddressesSchema, returnAddressIssues } from './pages-settings.ts';

import {
  type TelegramSignInPolicy,
  telegramSignInPolicy,
  telegramSignInSettings,
} from './telegram-sign-in-settings.ts';

const closed = { additionalProperties: false } as const;
const codeLength = Type.Integer({ minimum: 6, maximum: 10 });

/** What a tenant decides for itself. Everything has a safe default, so an empty object is a whole policy. */
export const settingsSchema = Type.Object(
  {
    /** Country (ISO 3166-1 alpha-2) by which national phone forms are read; absent: only +… is accepted. */
    default_country: Type.Optional(countryCode),
    /** Ways a code may be sent. */
    channels: Type.Optional(Type.Array(Type.Enum([...channels]), { minItems: 1, uniqueItems: true })),
    /** What SMS and voice may cost. */
    tolls: Type.Optional(tollSettings),
    /** Whether a proof by somebody unknown makes an account. */
    registration: Type.Optional(Type.Enum(['open', 'closed'])),
    /** Are mailboxes that anybody opens for ten minutes taken? */
    disposable_email: Type.Optional(Type.Enum(['allow', 'refuse'])),
    error_detail: Type.Optional(Type.Enum(['explicit', 'after_proof', 'uniform'])),
    /** By what people may register and sign in; Telegram accounts are governed by `channels`. */
    identifiers: Type.Optional(Type.Array(Type.Enum(['phone', 'email', 'username']), { uniqueItems: true })),
    passwords: Type.Optional(
      Type.Object(
        {
          enabled: Type.Optional(Type.Boolean()),
          /** Code points; docs/decisions tells why 8, and when to ask for 15. */
          min_length: Type.Optional(Type.Integer({ minimum: 8, maximum: 128 })),
          /** 0 to 4 by the estimate of zxcvbn. */
          min_score: Type.Optional(Type.Integer({ minimum: 0, maximum: 4 })),
        },
        closed,
      ),
    ),
    /** A JSON Schema of type object for custom_fields. */
    custom_fields: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    /** What a registration must tell besides its address. */
    required_fields: Type.Optional(
      Type.Array(Type.Enum(['first_name', 'last_name', 'username', 'password']), { uniqueItems: true }),
    ),
    /** Roles a registration may ask for; the first one is given where none is asked. Never admin. */
    registration_roles: Type.Optional(
      Type.Array(
        Type.String(
          textOf(
            '^(?!admin$)[a-z][a-z0-9_-]{0,62}$',
            'may have 1 to 63 small letters, digits, _ and -, and is never admin: nobody becomes one by signing up',
          ),
        ),
        {
          minItems: 1,
          uniqueItems: true,
        },
      ),
    ),
    code: Type.Optional(
      Type.Object(
        {
          /** Digits; ASVS 6.5.4 asks for at least six. */
          length: Type.Optional(codeLength),
          /** Where a purpose wants another length. */
          lengths: Type.Optional(
            Type.Object(
              {
                sign_in: Type.Optional(codeLength),
                register: Type.Optional(codeLength),
                recover: Type.Optional(codeLength),
                link: Type.Optional(codeLength),
                step_up: Type.Optional(codeLength),
              },
              closed,
            ),
          ),
          /** Seconds; NIST SP 800-63B-4 and ASVS 6.5.5 allow 600 at most. */
          lifetime_seconds: Type.Optional(Type.Integer({ minimum: 30, maximum: 600 })),
        },
        closed,
      ),
    ),
    telegram_sign_in: Type.Optional(telegramSignInSettings),
    audit: Type.Optional(auditSchema),
    recycled_numbers: Type.Optional(recycledNumbersSchema),
    sessions: Type.Optional(
      Type.Object(
        {
          style: Type.Optional(Type.Enum(['jwt', 'opaque'])),
          /** Life of an access token in seconds, up to 24 hours. */
          access_ttl_seconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 86_400 })),
          /** Absolute life of a session in seconds, up to 30 days; refreshing never extends it. */
          lifetime_seconds: Type.Optional(Type.Integer({ minimum: 300, maximum: 2_592_000 })),
          /** A session unused for so many seconds ends; absent: only the absolute life counts. */
          idle_seconds: Type.Optional(Type.Integer({ minimum: 300, maximum: 2_592_000 })),
          /** per_user: every device of a person holds the one opaque token; ending it anywhere ends it everywhere. */
          sharing: Type.Optional(Type.Enum(['per_device', 'per_user'])),
        },
        closed,
      ),
    ),
    /** Where the hosted pages may send people after they signed in. */
    return_addresses: Type.Optional(returnAddressesSchema),
    /** Sites whose pages may call the API from a browser. */
    allowed_origins: Type.Optional(allowedOriginsSchema),
    /** How codes travel. */
    delivery: Type.Optional(deliverySettingsSchema),
    telegram: Type.Optional(telegramSettings),
    sms: Type.Optional(smsSettings),
    /** Addresses with a fixed code, for those who review an app. */
    test_addresses: Type.Optional(testAddressesSchema),
  },
  closed,
);

export type TenantSettings = Static<typeof settingsSchema>;

type CodePurpose = 'sign_in' | 'register' | 'recover' | 'link' | 'step_up';

/** A tenant's settings with every default filled in. */
export interface TenantPolicy {
  defaultCountry: string | undefined;
  channels: readonly string[];
  registration: 'open' | 'closed';
  refusesDisposableEmail: boolean;
  errorDetail: 'explicit' | 'after_proof' | 'uniform';
  /** Digits of a code for this purpose. */
  codeLength: (purpose: CodePurpose) => number;
  identifiers: readonly ('phone' | 'email' | 'username')[];
  passwords: { enabled: boolean; minLength: number; minScore: number };
  customFields: CustomFieldsSchema | undefined;
  requiredFields: readonly ('first_name' | 'last_name' | 'username' | 'password')[];
  /** The first one is given where none is asked for. */
  registrationRoles: readonly string[];
  /** Where the hosted pages may send people after they signed in, letter for letter. */
  returnAddresses: readonly string[];
  /** Origins whose pages may call the API, beside the public URL and the tenant's hosts. */
  allowedOrigins: readonly string[];
  codeLifetimeSeconds: number;
  telegramSignIn: TelegramSignInPolicy;
  tolls: TollPolicy;
  audit: AuditPolicy;
  recycledNumbers: RecycledNumbersPolicy;
  sessionStyle: 'jwt' | 'opaque';
  accessTtlSeconds: number;
  sessionLifetimeSeconds: number;
  sessionIdleSeconds: number | undefined;
  delivery: DeliveryPolicy;
  /** Does each device have a session of its own, or do a person's devices share an opaque one? */
  sessionSharing: 'per_device' | 'per_user';
  telegram: TelegramPolicy;
  sms: SmsPolicy;
  testAddresses: readonly TestAddress[];
}

const validator = Compile(settingsSchema);

/** What is wrong with these settings: a JSON pointer and a sentence each. Empty when nothing is. */
export function settingsIssues(settings: unknown): { path: string; message: string }[] {
  if (validator.Check(settings)) {
    if (settings.sessions?.sharing === 'per_user' && settings.sessions.style === 'jwt') {
      const message =
        'per_user shares opaque sessions: a refresh token held by two devices counts as stolen.';
      return [{ path: '/sessions/sharing', message }];
    }
    const issue = settings.custom_fields && customFieldsSchemaIssue(settings.custom_fields);
    const issues = [
      ...returnAddressIssues(settings.return_addresses),
      ...allowedOriginIssues(settings.allowed_origins),
      ...testAddressIssues(settings.test_addresses),
      ...smsIssues(settings.sms),
    ];
    return issue === undefined ? issues : [{ ...issue, path: `/custom_fields${issue.path}` }, ...issues];
  }
  return schemaIssues(validator.Errors(settings));
}

/** Fills in the defaults. */
export function policyOf(settings: TenantSettings): TenantPolicy {
  return {
    defaultCountry: settings.default_country,
    channels: settings.channels ?? ['sms', 'email', 'telegram'],
    registration: settings.registration ?? 'open',
    refusesDisposableEmail: settings.disposable_email === 'refuse',
    errorDetail: settings.error_detail ?? 'explicit',
    codeLength: (purpose) => settings.code?.lengths?.[purpose] ?? settings.code?.length ?? 6,
    identifiers: settings.identifiers ?? ['phone', 'email', 'username'],
    passwords: {
      enabled: settings.passwords?.enabled ?? true,
      minLength: settings.passwords?.min_length ?? 8,
      minScore: settings.passwords?.min_score ?? 2,
    },
    customFields: settings.custom_fields,
    requiredFields: settings.required_fields ?? [],
    registrationRoles: settings.registration_roles ?? ['user'],
    tolls: tollPolicyOf(settings.tolls),
    returnAddresses: settings.return_addresses ?? [],
    allowedOrigins: settings.allowed_origins ?? [],
    codeLifetimeSeconds: settings.code?.lifetime_seconds ?? 300,
    telegramSignIn: telegramSignInPolicy(settings.telegram_sign_in),
    audit: auditPolicyOf(settings.audit),
    recycledNumbers: recycledNumbersPolicyOf(settings.recycled_numbers),
    sessionStyle: settings.sessions?.style ?? (settings.sessions?.sharing === 'per_user' ? 'opaque' : 'jwt'),
    accessTtlSeconds: settings.sessions?.access_ttl_seconds ?? 900,
    sessionLifetimeSeconds: settings.sessions?.lifetime_seconds ?? 2_592_000,
    sessionIdleSeconds: settings.sessions?.idle_seconds,
    delivery: deliveryPolicyOf(settings.delivery),
    sessionSharing: settings.sessions?.sharing ?? 'per_device',
    telegram: telegramPolicyOf(settings.telegram),
    sms: smsPolicyOf(settings.sms),
    testAddresses: testAddressesOf(settings.test_addresses),
  };
}

/** What a request says about whose it is. */
export interface TenantClues {
  header?: string | undefined;
  body?: string | undefined;
  host?: string | undefined;
  /** E.164, where the flow begins with a phone. */
  phone?: string | undefined;
}

interface Choosable {
  slug: string;
  kind: 'application' | 'market';
  phonePrefixes: readonly string[];
  hosts: readonly string[];
}

/**
 * Chooses the tenant: header, else body, else host name, else the market with the longest matching prefix, else
 * `default` (DESIGN part 5). A name that is given but unknown never falls through to the next rule.
 */
export function chooseTenant<T extends Choosable>(
  tenants: ReadonlyMap<string, T>,
  clues: TenantClues,
): T | undefined {
  const named = clues.header ?? clues.body;
  if (named !== undefined) return tenants.get(named);
  let market: T | undefined;
  let matched = 0;
  for (const tenant of tenants.values()) {
    if (clues.host !== undefined && tenant.hosts.includes(clues.host)) return tenant;
    if (clues.phone === undefined || tenant.kind !== 'market') continue;
    for (const prefix of tenant.phonePrefixes) {
      if (prefix.length > matched && clues.phone.startsWith(prefix)) {
        market = tenant;
        matched = prefix.length;
      }
    }
  }
  return market ?? tenants.get('default');
}

/** Does this tenant take this phone? A market only takes the prefixes it claims; others take every country. */
export function acceptsPhone(tenant: Choosable, phone: string): boolean {
  if (tenant.phonePrefixes.length === 0) return true;
  return tenant.phonePrefixes.some((prefix) => phone.startsWith(prefix));
}
