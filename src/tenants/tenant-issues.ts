import { SUPPORTED_LOCALES } from '../kernel/locale.ts';
import { isPhoneCountry } from '../kernel/phone.ts';
import { NOT_ONE_LINE, oneLineText } from './one-line-text.ts';
import { settingsIssues, type TenantSettings } from './policy.ts';

/** What of a tenant is looked at; a `Tenant` and a `NewTenant` both fit. */
interface Described {
  slug: string;
  name: string;
  kind: 'application' | 'market';
  phonePrefixes: readonly string[];
  hosts: readonly string[];
  locale: string;
  settings: TenantSettings;
}

const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/;
const PREFIX = /^\+[1-9]\d{0,6}$/;
const ONE_LINE = new RegExp(oneLineText.pattern, 'u');
const HOST = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/**
 * What is wrong with a tenant that is about to be made or changed: a JSON pointer and a sentence each, empty when
 * nothing is. Prefixes and hosts belong to one tenant only, as a request is led by them.
 * @param others every tenant of the deployment; the one of the same slug is not compared
 */
export function tenantIssues(
  tenant: Described,
  others: readonly Described[],
): { path: string; message: string }[] {
  const issues: { path: string; message: string }[] = [];
  const report = (path: string, message: string): void => void issues.push({ path, message });
  const strangers = others.filter((other) => other.slug !== tenant.slug);

  if (!SLUG.test(tenant.slug)) {
    report('/slug', 'must be 1 to 63 of a-z, 0-9 and -, and not begin with -');
  }
  if (tenant.name.trim() === '' || tenant.name.length > 100) report('/name', 'must be 1 to 100 characters');
  else if (!ONE_LINE.test(tenant.name)) report('/name', NOT_ONE_LINE);
  if (!(SUPPORTED_LOCALES as readonly string[]).includes(tenant.locale)) {
    report('/locale', `must be one of ${SUPPORTED_LOCALES.join(', ')}`);
  }
  if (tenant.kind === 'market' && tenant.phonePrefixes.length === 0) {
    report('/phone_prefixes', 'must name at least one prefix such as +998: a market is chosen by it');
  }
  for (const prefix of tenant.phonePrefixes) {
    const owner = strangers.find((other) => other.phonePrefixes.includes(prefix));
    if (!PREFIX.test(prefix)) report('/phone_prefixes', `"${prefix}" must be + and 1 to 7 digits`);
    else if (owner) report('/phone_prefixes', `${prefix} belongs to the tenant "${owner.slug}"`);
  }
  for (const host of tenant.hosts) {
    const owner = strangers.find((other) => other.hosts.includes(host));
    if (!HOST.test(host)) report('/hosts', `"${host}" must be a host name in lower case, without port`);
    else if (owner) report('/hosts', `${host} belongs to the tenant "${owner.slug}"`);
  }
  const { default_country: country } = tenant.settings;
  if (country !== undefined && !isPhoneCountry(country)) {
    report(
      '/settings/default_country',
      `"${country}" is no country with phone numbers (ISO 3166-1, such as UZ)`,
    );
  }
  for (const issue of settingsIssues(tenant.settings)) report(`/settings${issue.path}`, issue.message);
  return issues;
}
