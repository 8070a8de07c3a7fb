import { type Static, Type } from 'typebox';

/** What a tenant decides of its Telegram bot. */
export const telegramSettings = Type.Object(
  {
    /** May people prove their number by sharing their own contact with the bot? Else it always gets a code. */
    contact_proves_phone: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

export interface TelegramPolicy {
  contactProvesPhone: boolean;
}

/** Fills in the defaults. */
export function telegramPolicyOf(settings: Static<typeof telegramSettings> = {}): TelegramPolicy {
  return { contactProvesPhone: settings.contact_proves_phone ?? true };
}
