import { type Static, Type } from 'typebox';

/** What a tenant decides of its Telegram bot. */
export const telegramSettings = Type.Object(
  {
    /** May people prove their number by sharing their own contact with the bot? Else it always gets a code. */
    contact_proves_phone: Type.Optional(Type.Boolean()),
    /** Days after which a chat proves its number again before codes come to it; 0: never. */
    reprove_after_days: Type.Optional(Type.Integer({ minimum: 0, maximum: 3650 })),
  },
  { additionalProperties: false },
);

export interface TelegramPolicy {
  contactProvesPhone: boolean;
  /** Null: never. */
  reproveAfterDays: number | null;
}

/** Fills in the defaults. */
export function telegramPolicyOf(settings: Static<typeof telegramSettings> = {}): TelegramPolicy {
  const days = settings.reprove_after_days ?? 90;
  return {
    contactProvesPhone: settings.contact_proves_phone ?? true,
    reproveAfterDays: days === 0 ? null : days,
  };
}
