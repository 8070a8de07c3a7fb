import { channelsOf, type Delivery } from '../delivery/delivery.ts';
import { isDisposableEmail } from '../kernel/disposable-email.ts';
import { maskEmail, parseEmail } from '../kernel/email.ts';
import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import { maskPhone, parsePhone } from '../kernel/phone.ts';
import { acceptsPhone, type Tenant, type Tenants } from '../tenants/tenants.ts';
import type { RequestClues } from './context.ts';

/** The address fields of a request body; exactly one is expected. */
export interface AddressFields {
  phone?: string;
  email?: string;
  telegram_user_id?: string | number;
}

/** One proved or to-be-proved address in its canonical form. */
export interface Address {
  kind: 'phone' | 'email' | 'telegram';
  value: string;
  asEntered: string;
}

export type LocatedAddress = { ok: true; tenant: Tenant; address: Address } | Refused;

/**
 * Finds whose request it is and which address it means. Phones in national form need the tenant first (its default
 * country), and the tenant may need the phone (a market's prefix): so the tenant is looked for by name, then by the
 * phone as it stands.
 */
export function locateAddress(
  tenants: Tenants,
  fields: AddressFields & { tenant?: string },
  clues: RequestClues,
): LocatedAddress {
  const given = (['phone', 'email', 'telegram_user_id'] as const).filter(
    (name) => fields[name] !== undefined,
  );
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    return refuseField('/', 'Give exactly one of phone, email or telegram_user_id.');
  }
  const named = { header: clues.tenantHeader, body: fields.tenant, host: clues.host };
  if (kind !== 'phone') {
    const tenant = tenants.resolve(named);
    if (!tenant) return refuse('TENANT_NOT_FOUND');
    const address =
      kind === 'email' ? readEmail(fields.email ?? '') : readTelegram(fields.telegram_user_id ?? '');
    return address.ok ? { ok: true, tenant, address: address.address } : address;
  }
  return locatePhone(tenants, fields.phone ?? '', named);
}

function locatePhone(
  tenants: Tenants,
  entered: string,
  named: { header: string | undefined; body: string | undefined; host: string | undefined },
): LocatedAddress {
  const international = parsePhone(entered);
  const tenant = tenants.resolve({ ...named, phone: international.ok ? international.phone : undefined });
  if (!tenant) return refuse('TENANT_NOT_FOUND');
  const parsed = international.ok ? international : parsePhone(entered, tenant.policy.defaultCountry);
  if (!parsed.ok) return refuseField('/phone', PHONE_ADVICE[parsed.reason]);
  if (!acceptsPhone(tenant, parsed.phone)) return refuse('COUNTRY_NOT_ALLOWED');
  return { ok: true, tenant, address: { kind: 'phone', value: parsed.phone, asEntered: entered.trim() } };
}

const PHONE_ADVICE = {
  not_a_number: 'Write the number with its country code, such as +14155552671.',
  country_required: 'Write the number with its country code, such as +14155552671.',
  extension: 'Numbers with an extension cannot receive codes.',
  invalid_phone: 'This is not a number that exists. Check the digits and the country code.',
} as const;

function readEmail(entered: string): { ok: true; address: Address } | Refused {
  const parsed = parseEmail(entered);
  if (!parsed.ok) return refuseField('/email', 'This is not an e-mail address that can receive a code.');
  return { ok: true, address: { kind: 'email', value: parsed.email, asEntered: parsed.asEntered } };
}

function readTelegram(entered: string | number): { ok: true; address: Address } | Refused {
  const text = String(entered);
  if (!/^[1-9]\d{0,15}$/.test(text)) {
    return refuseField('/telegram_user_id', 'A Telegram user id is a positive whole number.');
  }
  return { ok: true, address: { kind: 'telegram', value: text, asEntered: text } };
}

/** Is this kind of address open for signing in here? Telegram accounts are governed by the channels. */
export function refuseIdentifier(tenant: Tenant, kind: Address['kind'] | 'username'): Refused | undefined {
  if (kind === 'telegram' || tenant.policy.identifiers.includes(kind)) return undefined;
  return refuseField(`/${kind}`, 'cannot be used here');
}

/**
 * May a code go to this address where it might become an account's? Asked of the address alone, so the refusal tells
 * nothing of who has an account.
 */
export function refuseNewAddress(
  tenant: Tenant,
  address: Pick<Address, 'kind' | 'value'>,
): Refused | undefined {
  const closed = refuseIdentifier(tenant, address.kind);
  if (closed) return closed;
  const isRefused =
    address.kind === 'email' && tenant.policy.refusesDisposableEmail && isDisposableEmail(address.value);
  return isRefused
    ? refuseField('/email', 'Mailboxes of this kind are thrown away. Use another address.')
    : undefined;
}

/** The address as an answer may show it: enough to recognise, too little to learn. */
export function maskAddress(address: Pick<Address, 'kind' | 'value'>): string {
  if (address.kind === 'phone') return maskPhone(address.value);
  if (address.kind === 'email') return maskEmail(address.value);
  return `•••${address.value.slice(-3)}`;
}

/**
 * Chooses the channel for an address: the person's wish if it is possible, else the head of the tenant's plan for it.
 * What the message goes on to, should that fail, is the same plan's rest.
 */
export function chooseChannel(
  tenant: Tenant,
  address: Pick<Address, 'kind' | 'value'>,
  wish: string | undefined,
  delivery: Pick<Delivery, 'planOf'>,
): { ok: true; channel: string } | Refused {
  const known = channelsOf(address.kind);
  if (wish !== undefined && !known.includes(wish)) {
    return refuseField('/channel', `Codes for this address can be sent by ${known.join(' or ')}.`);
  }
  const [channel] = delivery.planOf(tenant, address, wish);
  return channel === undefined ? refuse('CHANNEL_UNAVAILABLE') : { ok: true, channel };
}
