import { parsePhone, type PhoneType } from '../kernel/phone.ts';

/** What a tenant allows. */
export interface TollPolicy {
  countries: readonly string[] | undefined;
  prefixPerHour: number;
  prefixPerDay: number;
  countryPerHour: number;
  countryPerDay: (country: string) => number;
  messagesPerDay: number;
  /** Money in millionths. */
  microsPerDay: number;
  leastVerified: number;
}

/** Ways that cost the tenant money for each message. */
export const tollChannels: readonly string[] = ['sms', 'voice'];

/** Kinds of numbers whose owner earns by what is sent there, or that no code reaches. */
const REFUSED: readonly PhoneType[] = [
  'premium_rate',
  'shared_cost',
  'uan',
  'pager',
  'voicemail',
  'personal_number',
];

/** A range of ten thousand numbers is what carriers hand out, and what those who pump messages rent. */
const DIGITS_OF_A_RANGE = 4;

export interface Toll {
  prefix: string;
  country: string;
}

/**
 * Whom a message would go to, and whether the tenant pays for it at all.
 * @param openByDefault where the tenant has named no countries: every country, or none
 */
export function readToll(
  phone: string,
  policy: TollPolicy,
  openByDefault: boolean,
): ({ ok: true } & Toll) | { ok: false; reason: 'unset' | 'country' | 'range' } {
  const parsed = parsePhone(phone);
  // +870, +881 to +883, +878, +979 and their kin belong to no country: satellites and shared numbers.
  if (!parsed.ok || parsed.country === '001' || REFUSED.includes(parsed.type)) {
    return { ok: false, reason: 'range' };
  }
  const { countries } = policy;
  if (countries === undefined && !openByDefault) return { ok: false, reason: 'unset' };
  if (countries !== undefined && !countries.includes('*') && !countries.includes(parsed.country)) {
    return { ok: false, reason: 'country' };
  }
  return { ok: true, prefix: phone.slice(0, -DIGITS_OF_A_RANGE), country: parsed.country };
}

/** One counter that a message is taken from. */
export interface Counter {
  key: string;
  /** A day is the calendar's (UTC); an hour begins with its first message. */
  window: 'hour' | 'day' | 'kept';
  amount: number;
  most: number;
}

const NO_END = Number.MAX_SAFE_INTEGER;
const MICROS = 1_000_000;

const microsOf = (price: number): number => Math.round(price * MICROS);

/** Everything one message of this price is counted in; the first that is full names the reason. */
export function countersOf(
  { prefix, country }: Toll,
  channel: string,
  day: string,
  policy: TollPolicy,
  price: number,
): Counter[] {
  const micros = microsOf(price);
  return [
    { key: `hour:${prefix}`, window: 'hour', amount: 1, most: policy.prefixPerHour },
    { key: `day:${prefix}`, window: 'day', amount: 1, most: policy.prefixPerDay },
    { key: `hour:${country}`, window: 'hour', amount: 1, most: policy.countryPerHour },
    { key: `day:${country}`, window: 'day', amount: 1, most: policy.countryPerDay(country) },
    { key: 'day:messages', window: 'day', amount: 1, most: policy.messagesPerDay },
    { key: 'day:money', window: 'day', amount: micros, most: policy.microsPerDay },
    { key: `ledger:${day}:${channel}:${country}:messages`, window: 'kept', amount: 1, most: NO_END },
    { key: `ledger:${day}:${channel}:${country}:micros`, window: 'kept', amount: micros, most: NO_END },
  ];
}

/** The counters of money among them: what a message that cost less is given back from. */
export function isMoney({ key }: Counter): boolean {
  return key === 'day:money' || key.endsWith(':micros');
}

/** Messages of an hour from which on a range is judged, and how long its block lasts. */
const JUDGED_FROM = 20;
export const BLOCK_SECONDS = 3600;

/** Was so little of what went to this range ever typed that nobody can be there? */
export function isPumped(range: { sent: number; verified: number }, leastVerified: number): boolean {
  return range.sent >= JUDGED_FROM && range.verified < range.sent * leastVerified;
}
