import { maskEmail } from '../kernel/email.ts';
import { maskPhone } from '../kernel/phone.ts';
import type { Tenant, TestAddress } from '../tenants/tenants.ts';
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
