import { type Static, Type } from 'typebox';

/** What lets phones fill in the code of an SMS by themselves. */
export const smsSettings = Type.Object(
  {
    /** Host name of the page on which codes are typed: the last line becomes `@host #code`. */
    autofill_host: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$',
        maxLength: 100,
      }),
    ),
    /** Eleven signs by which Android knows the app that may read the code (SMS Retriever). */
    android_app_hash: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+/]{11}$' })),
  },
  { additionalProperties: false },
);

export interface SmsPolicy {
  /** Null: none of both. */
  autofillHost: string | null;
  androidAppHash: string | null;
}

/** Fills in the defaults. */
export function smsPolicyOf(settings: Static<typeof smsSettings> = {}): SmsPolicy {
  return {
    autofillHost: settings.autofill_host ?? null,
    androidAppHash: settings.android_app_hash ?? null,
  };
}
