import { maskEmail } from '../kernel/email.ts';
import { maskPhone } from '../kernel/phone.ts';
import { acceptsPhone, type Tenant, type TestAddress } from '../tenants/tenants.ts';
import type { Finding } from './doctor-checks.ts';

/** As a log may show it. */
const masked = ({ kind, value }: TestAddress): string =>
  kind === 'phone' ? maskPhone(value) : maskEmail(value);

/** Fixed codes let people in without a proof: each tenant that has any is named whenever a server starts. */
export function checkTestAddresses(
  tenant: Pick<Tenant, 'slug'> & { policy: Pick<Tenant['policy'], 'testAddresses'> },
  now: Date,
): Finding[] {
  const subject = `tenant ${tenant.slug}`;
  const today = now.toISOString().slice(0, 10);
  const { testAddresses } = tenant.policy;
  const [works, over] = [
    testAddresses.filter(({ lastDay }) => lastDay >= today),
    testAddresses.filter(({ lastDay }) => lastDay < today),
  ];
  const findings: Finding[] = [];
  if (works.length > 0) {
    const list = works.map((entry) => `${masked(entry)} until ${entry.lastDay}`).join(', ');
    findings.push({
      level: 'warn',
      subject,
      message: `FIXED CODES ARE ACCEPTED without any proof for ${list}`,
      remedy: `End them when the review is over: firstproof tenant test-address remove ${tenant.slug} <address>`,
    });
  }
  if (over.length > 0) {
    findings.push({
      level: 'warn',
      subject,
      message: `test addresses are past their last day and are sent nothing: ${over.map(masked).join(', ')}`,
      remedy: `Remove them: firstproof tenant test-address remove ${tenant.slug} <address>`,
    });
  }
  return findings;
}

/** What the rest of the deployment says about an address. */
export interface Surroundings {
  /** To which tenant a request leads that names none. */
  slugOf(address: Pick<TestAddress, 'kind' | 'value'>): string | undefined;
  /** May codes to this number cost something? */
  isOpen(phone: string): boolean;
  /** The channels by which a code could reach it. */
  planOf(address: Pick<TestAddress, 'kind' | 'value'>): readonly string[];
}

/** What keeps a test address from being signed in by, as a state; undefined where nothing does. */
export function obstacleOf(
  { slugOf, isOpen, planOf }: Surroundings,
  tenant: Pick<Tenant, 'slug' | 'kind' | 'phonePrefixes' | 'hosts'>,
  address: Pick<TestAddress, 'kind' | 'value'>,
): string | undefined {
  const isPhone = address.kind === 'phone';
  if (isPhone && !acceptsPhone(tenant, address.value)) {
    return `no effect: "${tenant.slug}" takes numbers of ${tenant.phonePrefixes.join(', ')} only`;
  }
  if (planOf(address).length === 0) return 'no effect: no provider carries codes there';
  if (isPhone && !isOpen(address.value)) {
    return 'no effect: its country is not open, see the setting tolls.countries';
  }
  const leadsTo = slugOf(address);
  if (leadsTo === tenant.slug || tenant.hosts.length > 0) return undefined;
  return `works where the request names "${tenant.slug}": else it leads to "${leadsTo ?? 'no tenant'}"`;
}
