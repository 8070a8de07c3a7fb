import { type Static, Type } from 'typebox';
import { textOf } from '../web/schema-issues.ts';
import { countryCode as country } from './country-code.ts';

const closed = { additionalProperties: false } as const;
const most = Type.Integer({ minimum: 0, maximum: 10_000_000 });
const money = Type.Number({ minimum: 0, maximum: 10_000_000 });

/** What a tenant lets SMS and voice cost (REQUIREMENTS: toll fraud). Other channels are not touched by it. */
export const tollSettings = Type.Object(
  {
    /** Countries (ISO 3166-1 alpha-2) whose numbers get SMS and calls; `*`: every country. */
    countries: Type.Optional(
      Type.Array(
        Type.String(textOf('^([A-Z]{2}|[*])$', 'must be a country of ISO 3166-1 such as UZ, or *')),
        { uniqueItems: true },
      ),
    ),
    /** Messages to one range of 10,000 numbers, in an hour and in a day. */
    prefix_per_hour: Type.Optional(most),
    prefix_per_day: Type.Optional(most),
    /** Messages to one country. */
    country_per_hour: Type.Optional(most),
    country_per_day: Type.Optional(most),
    /** Where a country's own budget of a day is another. */
    countries_per_day: Type.Optional(Type.Record(country, most)),
    /** Messages of the tenant in a day, and what they may cost: past it SMS and voice stop, nothing else. */
    messages_per_day: Type.Optional(most),
    money_per_day: Type.Optional(money),
    /** What a message costs where `delivery.prices` names no price of its provider, and where a country's is another. */
    price: Type.Optional(Type.Number({ minimum: 0, maximum: 1000 })),
    prices: Type.Optional(Type.Record(country, Type.Number({ minimum: 0, maximum: 1000 }))),
    /** A range of which fewer codes than this share were typed is blocked for an hour; 0 switches it off. */
    least_verified: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  },
  closed,
);

/** The same with every default filled in. */
export interface TollPolicy {
  /** Undefined: nobody has said. */
  countries: readonly string[] | undefined;
  prefixPerHour: number;
  prefixPerDay: number;
  countryPerHour: number;
  countryPerDay: (country: string) => number;
  messagesPerDay: number;
  /** In millionths of the tenant's currency. */
  microsPerDay: number;
  /** What a message costs by a provider without a price of its own, in the tenant's currency. */
  priceOf: (country: string | null) => number;
  leastVerified: number;
}

const MICROS = 1_000_000;

export function tollPolicyOf(settings: Static<typeof tollSettings> = {}): TollPolicy {
  return {
    countries: settings.countries,
    prefixPerHour: settings.prefix_per_hour ?? 50,
    prefixPerDay: settings.prefix_per_day ?? 200,
    countryPerHour: settings.country_per_hour ?? 1000,
    countryPerDay: (country) => settings.countries_per_day?.[country] ?? settings.country_per_day ?? 10_000,
    messagesPerDay: settings.messages_per_day ?? 20_000,
    microsPerDay: Math.round((settings.money_per_day ?? 200) * MICROS),
    priceOf: (country) => settings.prices?.[country ?? ''] ?? settings.price ?? 0.05,
    leastVerified: settings.least_verified ?? 0.2,
  };
}
