import { parseEmail } from '../../kernel/email.ts';
import type { Issue } from '../../kernel/errors.ts';
import { parsePhone } from '../../kernel/phone.ts';
import { schemeOf } from '../../passwords/passwords.ts';
import { acceptsPhone, customFieldIssues, type Tenant } from '../../tenants/tenants.ts';
import type { ImportedIdentity, ImportedUser } from '../../users/users.ts';
import { parseStrictJson } from '../../web/json-body.ts';

/** What a row may tell. In CSV an empty field is no field. */
export const COLUMNS = [
  'email',
  'phone',
  'telegram_user_id',
  'username',
  'first_name',
  'last_name',
  'role',
  'password_hash',
  'verified',
  'custom_fields',
  'created_at',
] as const;

type Column = (typeof COLUMNS)[number];
/** A row as it was read: text from CSV, any JSON from JSON Lines. */
export type Fields = Record<string, unknown>;

export interface ReadUserOptions {
  tenant: Tenant;
  newId: () => string;
  /** When a row does not say when its account was made. */
  now: Date;
}

/** Makes an account of a row, its addresses in the one canonical form; or tells what is wrong, a sentence a field. */
export function readUser(
  fields: Fields,
  options: ReadUserOptions,
): { ok: true; user: ImportedUser } | { ok: false; issues: Issue[] } {
  const issues: Issue[] = [];
  const report = (field: string, message: string): null => {
    issues.push({ path: `/${field.slice(0, 64)}`, message });
    return null;
  };
  for (const name of Object.keys(fields)) {
    if (!(COLUMNS as readonly string[]).includes(name)) report(name, 'is not a field of an account');
  }
  /** The field as text; null where it is missing; an issue where it is something else or does not fit. */
  const text = (name: Column, pattern: RegExp, advice: string): string | null => {
    const value = fields[name];
    if (value === undefined || value === null || value === '') return null;
    const string = typeof value === 'number' ? String(value) : value;
    return typeof string === 'string' && pattern.test(string) ? string : report(name, advice);
  };
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  const NAME = /^[^\u0000-\u001f\u007f\ufffd]{1,100}$/;
  const LINE = /^[^\r\n]{1,320}$/;

  const identities = [
    emailOf(text('email', LINE, 'is not an e-mail address'), report),
    phoneOf(text('phone', LINE, 'is not a phone number'), options.tenant, report),
    telegramOf(text('telegram_user_id', /^[1-9]\d{0,15}$/, 'must be a positive whole number')),
  ].filter((identity) => identity !== null);
  if (identities.length === 0 && issues.length === 0) {
    report('', 'has no email, phone or telegram_user_id');
  }
  const passwordHash = text('password_hash', /^\$[\x21-\x7e]{1,511}$/, HASH_ADVICE);
  if (passwordHash !== null && schemeOf(passwordHash) === undefined) report('password_hash', HASH_ADVICE);
  const customFields = customFieldsOf(fields['custom_fields']);
  if (customFields === undefined) report('custom_fields', 'must be a JSON object');
  else issues.push(...customFieldIssues(options.tenant.policy.customFields, customFields, '/custom_fields'));
  const user: ImportedUser = {
    id: options.newId(),
    role: text('role', /^[a-z][a-z0-9_-]{0,62}$/, 'must be a-z, 0-9, _ and -') ?? 'user',
    firstName: text('first_name', NAME, 'must be 1 to 100 characters on one line'),
    lastName: text('last_name', NAME, 'must be 1 to 100 characters on one line'),
    username: text('username', /^[A-Za-z0-9_.-]{2,64}$/, 'must be 2 to 64 letters, digits, _ . -'),
    customFields: customFields ?? {},
    passwordHash,
    verified: verifiedOf(fields['verified'], report),
    createdAt: momentOf(text('created_at', LINE, MOMENT_ADVICE), options.now, report),
    identities: identities.map((identity) => ({ ...identity, id: options.newId() })),
  };
  return issues.length > 0 ? { ok: false, issues } : { ok: true, user };
}

type Report = (field: string, message: string) => null;
type Found = Omit<ImportedIdentity, 'id'> | null;

const HASH_ADVICE =
  'is not a bcrypt ($2b$…), argon2 ($argon2id$…) or scrypt ($scrypt$…) hash of bearable cost';
const MOMENT_ADVICE = 'must be a time of the past such as 2024-05-31T12:00:00Z';

function emailOf(entered: string | null, report: Report): Found {
  if (entered === null) return null;
  const parsed = parseEmail(entered);
  if (!parsed.ok) return report('email', 'is not an e-mail address that can receive a code');
  return { kind: 'email', value: parsed.email, asEntered: parsed.asEntered };
}

function phoneOf(entered: string | null, tenant: Tenant, report: Report): Found {
  if (entered === null) return null;
  const parsed = parsePhone(entered, tenant.policy.defaultCountry);
  if (!parsed.ok) return report('phone', 'is not a number that exists; write it with its country code');
  if (!acceptsPhone(tenant, parsed.phone)) return report('phone', 'has none of the prefixes of this market');
  return { kind: 'phone', value: parsed.phone, asEntered: entered.trim() };
}

function telegramOf(id: string | null): Found {
  return id === null ? null : { kind: 'telegram', value: id, asEntered: id };
}

function verifiedOf(value: unknown, report: Report): boolean {
  if (typeof value === 'boolean') return value;
  if (value === undefined || value === null) return false;
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '?';
  if (['true', 't', 'yes', '1'].includes(word)) return true;
  if (!['false', 'f', 'no', '0', ''].includes(word)) report('verified', 'must be true or false');
  return false;
}

function momentOf(text: string | null, now: Date, report: Report): Date {
  if (text === null) return now;
  const moment = new Date(text);
  // Without a zone the same text is another moment on another machine.
  const isMoment = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))?$/.test(text);
  if (isMoment && moment <= now && moment.getFullYear() >= 1970) return moment;
  report('created_at', MOMENT_ADVICE);
  return now;
}

function customFieldsOf(value: unknown): Record<string, unknown> | undefined {
  if (value === undefined || value === null) return {};
  let fields: unknown = value;
  if (typeof value === 'string') {
    const parsed = parseStrictJson(value);
    fields = parsed.ok ? parsed.value : undefined;
  }
  const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields);
  return isObject ? (fields as Record<string, unknown>) : undefined;
}
