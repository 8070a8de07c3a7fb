import type { Issue } from '../kernel/errors.ts';
import { customFieldIssues, type Tenant } from '../tenants/tenants.ts';

/** A registration is kept for so long without its proof. */
export const REGISTRATION_LIFE_SECONDS = 86_400;

/** What a person may type at sign-up, as the request has it. */
export interface RegistrationFields {
  name?: string;
  first_name?: string;
  last_name?: string;
  username?: string;
  /** Names again, as some front ends send them; what else it holds counts as custom fields. */
  profile?: Record<string, unknown>;
  custom_fields?: Record<string, unknown>;
  role?: string;
}

/** What is kept of it. */
export interface RegistrationData {
  first_name: string | null;
  last_name: string | null;
  username: string | null;
  role: string;
  custom_fields: Record<string, unknown>;
}

const USERNAME = /^[A-Za-z0-9_.-]{2,64}$/;
// Control characters and line breaks could reach a header of a message; direction marks disguise a name.
// oxlint-disable-next-line no-control-regex -- they are what is refused
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const LONGEST_NAME = 100;
const PROFILE_NAMES = ['name', 'first_name', 'last_name', 'username'] as const;

/**
 * Reads what was typed at sign-up: names from wherever they stand, custom fields by the tenant's schema, the role by
 * what the tenant allows. Everything that is wrong is told at once, a sentence a field.
 */
export function readRegistration(
  tenant: Pick<Tenant, 'policy'>,
  fields: RegistrationFields,
): { ok: true; data: RegistrationData } | { ok: false; issues: Issue[] } {
  const { policy } = tenant;
  const issues: Issue[] = [];
  const profile = fields.profile ?? {};
  const texts = new Map<string, string>();
  for (const name of PROFILE_NAMES) {
    const direct = fields[name];
    const value = direct ?? profile[name];
    if (value === undefined || value === null) continue;
    const path = direct === undefined ? `/profile/${name}` : `/${name}`;
    if (typeof value !== 'string') {
      issues.push({ path, message: 'must be text' });
      continue;
    }
    const problem = textProblem(name, value);
    if (problem === undefined) texts.set(name, value.trim());
    else issues.push({ path, message: problem });
  }
  const split = splitName(texts.get('name'));
  const data: RegistrationData = {
    first_name: texts.get('first_name') ?? split.first,
    last_name: texts.get('last_name') ?? split.last,
    username: texts.get('username') ?? null,
    role: fields.role ?? policy.registrationRoles[0] ?? 'user',
    custom_fields: { ...otherFields(profile), ...fields.custom_fields },
  };
  for (const name of ['first_name', 'last_name', 'username'] as const) {
    const isTold = issues.some((issue) => issue.path.endsWith(`/${name}`) || issue.path.endsWith('/name'));
    if (policy.requiredFields.includes(name) && data[name] === null && !isTold) {
      issues.push({ path: `/${name}`, message: 'is required' });
    }
  }
  if (
    fields.role !== undefined &&
    (fields.role === 'admin' || !policy.registrationRoles.includes(fields.role))
  ) {
    issues.push({ path: '/role', message: 'is not a role that can be asked for here' });
  }
  for (const issue of customFieldIssues(policy.customFields, data.custom_fields, '/custom_fields')) {
    issues.push({ ...issue, path: whereItStood(issue.path, fields) });
  }
  return issues.length > 0 ? { ok: false, issues } : { ok: true, data };
}

/** What is wrong with a name or username that somebody gives their account later: the rules are those of sign-up. */
export function profileIssues(
  { policy }: Pick<Tenant, 'policy'>,
  changes: Partial<Record<'first_name' | 'last_name' | 'username', string | null>>,
): Issue[] {
  return (['first_name', 'last_name', 'username'] as const).flatMap((name) => {
    const value = changes[name];
    if (value === undefined) return [];
    const isMissing = value === null && policy.requiredFields.includes(name);
    const message = isMissing ? 'is required' : value === null ? undefined : textProblem(name, value);
    return message === undefined ? [] : [{ path: `/${name}`, message }];
  });
}

function textProblem(name: (typeof PROFILE_NAMES)[number], value: string): string | undefined {
  if (name === 'username') {
    return USERNAME.test(value.trim()) ? undefined : 'may have 2 to 64 letters, digits, _ . and -';
  }
  if (UNPRINTABLE.test(value)) return 'may not hold control characters';
  const length = value.trim().length;
  return length === 0 || length > LONGEST_NAME ? `may have 1 to ${LONGEST_NAME} characters` : undefined;
}

/** The first word is the first name, what follows the last: a guess, which the person may correct. */
function splitName(name: string | undefined): { first: string | null; last: string | null } {
  if (name === undefined) return { first: null, last: null };
  const [first = '', ...rest] = name.trim().split(/\s+/);
  return { first: first || null, last: rest.join(' ') || null };
}

/** The place of a custom field in the request: it may have come in the profile. */
function whereItStood(
  path: string,
  { profile = {}, custom_fields: customFields = {} }: RegistrationFields,
): string {
  const [, , name = '', ...rest] = path.split('/');
  const field = name.replaceAll('~1', '/').replaceAll('~0', '~');
  const isOfProfile = Object.hasOwn(profile, field) && !Object.hasOwn(customFields, field);
  return isOfProfile ? ['', 'profile', name, ...rest].join('/') : path;
}

function otherFields(profile: Record<string, unknown>): Record<string, unknown> {
  const known: readonly string[] = PROFILE_NAMES;
  return Object.fromEntries(Object.entries(profile).filter(([name]) => !known.includes(name)));
}
