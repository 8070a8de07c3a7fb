import { type Static, Type } from 'typebox';
import { textOf } from '../web/schema-issues.ts';

const closed = { additionalProperties: false } as const;

/** Signing in by what Telegram itself vouches for. */
export const telegramSignInSettings = Type.Object(
  {
    /** Bots of others whose Mini Apps may sign people in here, checked by Telegram's own signature. */
    bot_ids: Type.Optional(
      Type.Array(Type.String(textOf('^[1-9]\\d{0,15}$', 'must be a numeric Telegram user id')), {
        maxItems: 20,
        uniqueItems: true,
      }),
    ),
    /** Where Telegram Login may lead a browser back to; compared character by character. */
    return_addresses: Type.Optional(
      Type.Array(
        Type.String({
          minLength: 1,
          maxLength: 2000,
          ...textOf('^https?://[^\\s#?\\\\]+$', 'must be a web address without query and fragment'),
        }),
        {
          maxItems: 20,
          uniqueItems: true,
        },
      ),
    ),
  },
  closed,
);

export interface TelegramSignInPolicy {
  botIds: readonly string[];
  returnAddresses: readonly string[];
}

/** Fills in the defaults: no bot but the tenant's own, and nowhere to return to. */
export function telegramSignInPolicy(
  settings: Static<typeof telegramSignInSettings> = {},
): TelegramSignInPolicy {
  return { botIds: settings.bot_ids ?? [], returnAddresses: settings.return_addresses ?? [] };
}
