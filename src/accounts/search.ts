import { parseEmail } from '../kernel/email.ts';
import { isUuid } from '../kernel/id.ts';
import { parsePhone } from '../kernel/phone.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { UserSearch } from '../users/users.ts';

/** What somebody typed to find an account: an address in any writing, a username, an id, or the beginning of a name. */
export function readSearch(tenant: Tenant, text: string): Partial<UserSearch> {
  const typed = text.trim();
  if (isUuid(typed)) return { id: typed.toLowerCase() };
  const addresses = addressesIn(tenant, typed);
  if (typed.includes('@')) return { addresses };
  const username = typed.startsWith('@') ? typed.slice(1) : typed;
  return { ...(addresses.length > 0 ? { addresses } : {}), username, name: typed };
}

/** The canonical addresses that a text may be: digits alone may be a national number or a Telegram id. */
function addressesIn(tenant: Tenant, typed: string): { kind: string; value: string }[] {
  if (typed.includes('@')) {
    const email = parseEmail(typed);
    return email.ok ? [{ kind: 'email', value: email.email }] : [];
  }
  const phone = parsePhone(typed, tenant.policy.defaultCountry);
  return [
    ...(phone.ok ? [{ kind: 'phone', value: phone.phone }] : []),
    ...(/^[1-9]\d{0,15}$/.test(typed) ? [{ kind: 'telegram', value: typed }] : []),
  ];
}
