import { type Static, Type } from 'typebox';
import { textOf } from '../web/schema-issues.ts';

const closed = { additionalProperties: false } as const;
/** ISO 3166-1 alpha-2, `001` for numbers of no country, or `default` for all that are not named. */
const COUNTRY = '^(?:[A-Z]{2}|001|default)$';
const phoneChannel = Type.Enum(['sms', 'telegram', 'voice']);
const route = Type.Array(phoneChannel, { minItems: 1, maxItems: 3, uniqueItems: true });

/** How the codes of a tenant travel: the ways of each country, their order and their prices. */
export const deliverySettingsSchema = Type.Object(
  {
    /** For phones, by country: the channels in the order they are tried. */
    routes: Type.Optional(Type.Record(Type.String({ pattern: COUNTRY }), route, closed)),
    /** After so many seconds without a delivery report or a proof the next channel is tried; 0: never. */
    next_channel_after_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 300 })),
    /** Which of a channel's providers goes first. */
    order: Type.Optional(Type.Enum(['listed', 'cheapest', 'fastest'])),
    /** By channel: the providers it may use, in this order. A channel not named uses all that carry it. */
    providers: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^(?:sms|telegram|voice|email)$' }),
        Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
          minItems: 1,
          maxItems: 20,
          uniqueItems: true,
        }),
        closed,
      ),
    ),
    /** What a message costs, by provider and country. */
    prices: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[^\\u0000-\\u001f]{1,100}$' }),
        Type.Record(Type.String({ pattern: COUNTRY }), Type.Number({ minimum: 0, maximum: 1000 }), closed),
        closed,
      ),
    ),
    /** ISO 4217; what the prices are in. */
    currency: Type.Optional(Type.String(textOf('^[A-Z]{3}$', 'must be a currency of ISO 4217 such as USD'))),
  },
  closed,
);

export type DeliverySettings = Static<typeof deliverySettingsSchema>;

/** The delivery settings of a tenant with every default filled in. */
export interface DeliveryPolicy {
  /** The channels of a phone of this country, in order. */
  routeOf(country: string): readonly string[];
  /** Seconds of silence until the next channel; 0: silence never leads on. */
  nextChannelAfterSeconds: number;
  order: 'listed' | 'cheapest' | 'fastest';
  /** The names of the providers a channel may use, in order; undefined: all that carry it. */
  providersOf(channel: string): readonly string[] | undefined;
  /** What one message costs; undefined where nobody has said. */
  priceOf(provider: string, country: string | null): number | undefined;
  currency: string;
}

/** Fills in the defaults. */
export function deliveryPolicyOf(settings: DeliverySettings = {}): DeliveryPolicy {
  const { routes = {}, providers = {}, prices = {} } = settings;
  return {
    routeOf: (country) => routes[country] ?? routes['default'] ?? ['sms'],
    nextChannelAfterSeconds: settings.next_channel_after_seconds ?? 30,
    order: settings.order ?? 'listed',
    providersOf: (channel) => providers[channel],
    priceOf(provider, country) {
      const own = Object.hasOwn(prices, provider) ? prices[provider] : undefined;
      return own?.[country ?? 'default'] ?? own?.['default'];
    },
    currency: settings.currency ?? 'USD',
  };
}
