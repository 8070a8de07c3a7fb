import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false } as const;
const NAME = '^[a-z][a-z0-9-]{1,30}$';
const text = Type.String({ maxLength: 2000 });
const texts = Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.\\[\\]-]{1,100}$' }), text, closed);
const verdict = Type.Enum(['retry', 'next', 'suppress', 'alarm']);

/** Where in an answer something stands: by JSON pointer (RFC 6901), or by a regular expression over its text. */
const place = Type.Object(
  {
    at: Type.Optional(Type.String({ pattern: '^(/.*)?$', maxLength: 200 })),
    matches: Type.Optional(Type.String({ maxLength: 300 })),
  },
  closed,
);

const request = Type.Object(
  {
    method: Type.Optional(Type.Enum(['GET', 'POST', 'PUT'])),
    url: Type.String({ maxLength: 2000 }),
    query: Type.Optional(texts),
    headers: Type.Optional(texts),
    form: Type.Optional(texts),
    json: Type.Optional(Type.Unknown()),
  },
  closed,
);

/** A gateway as its file describes it. docs/guides/providers.md explains each field. */
export const recipeSchema = Type.Object(
  {
    name: Type.String({ pattern: NAME }),
    channels: Type.Optional(
      Type.Array(Type.Enum(['sms', 'voice', 'telegram']), { minItems: 1, uniqueItems: true }),
    ),
    tenants: Type.Optional(Type.Array(Type.String(), { minItems: 1, uniqueItems: true })),
    limits: Type.Optional(
      Type.Object(
        {
          concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
          per_second: Type.Optional(Type.Number({ minimum: 0.1, maximum: 10_000 })),
        },
        closed,
      ),
    ),
    /** It carries codes by a text of its own, kept at the gateway: notices go by others. */
    codes_only: Type.Optional(Type.Boolean()),
    login: Type.Optional(
      Type.Object(
        { request, token: place, lifetime_seconds: Type.Integer({ minimum: 60, maximum: 31_536_000 }) },
        closed,
      ),
    ),
    send: request,
    success: Type.Object(
      {
        status: Type.Optional(Type.Array(Type.Integer({ minimum: 200, maximum: 299 }), { minItems: 1 })),
        when: Type.Optional(place),
        is: Type.Optional(Type.Array(text, { minItems: 1 })),
      },
      closed,
    ),
    /** `ours`: reports will name the id that we gave it. */
    message_id: Type.Optional(Type.Union([place, Type.Literal('ours')])),
    error_code: Type.Optional(place),
    errors: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 60 }), verdict, closed)),
    callback: Type.Optional(
      Type.Object(
        {
          secret: Type.Optional(
            Type.Object({ query: Type.Optional(text), header: Type.Optional(text), value: text }, closed),
          ),
          signature: Type.Optional(
            Type.Object(
              {
                header: text,
                key: text,
                algorithm: Type.Optional(Type.Enum(['sha256', 'sha512', 'sha1'])),
                encoding: Type.Optional(Type.Enum(['hex', 'base64'])),
                prefix: Type.Optional(text),
                /** Seconds since 1970; signed before the body with `separator` between. */
                timestamp_header: Type.Optional(text),
                separator: Type.Optional(text),
              },
              closed,
            ),
          ),
          format: Type.Enum(['json', 'form', 'query']),
          /** How the gateway reaches this server where it is not by the public URL. */
          base_url: Type.Optional(Type.String({ pattern: '^https?://[^/?#]+$' })),
          /** Pointer to the list of reports; left out: the whole is one. */
          reports: Type.Optional(Type.String({ pattern: '^(/.*)?$' })),
          message_id: Type.String({ pattern: '^/.+$' }),
          state: Type.String({ pattern: '^/.+$' }),
          states: Type.Record(text, Type.Enum(['sent', 'delivered', 'failed']), closed),
          error_code: Type.Optional(Type.String({ pattern: '^/.+$' })),
        },
        closed,
      ),
    ),
  },
  closed,
);

export type Recipe = Static<typeof recipeSchema>;
export type RecipeRequest = Static<typeof request>;
export type RecipePlace = Static<typeof place>;
/** What a gateway's own error means for the message, or for the gateway. */
export type GatewayVerdict = Static<typeof verdict>;
