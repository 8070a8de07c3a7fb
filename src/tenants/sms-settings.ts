import { type Static, Type } from 'typebox';

/** What lets phones fill in the code of an SMS by themselves. */
export const smsSettings = Type.Object(
  {
    /** Host name of the page on which codes are typed: the last line becomes `@host #code`. */
    autofill_host: Type.Optional(Type.String({ maxLength: 100 })),
    /** Eleven signs by which Android knows the app that may read the code (SMS Retriever). */
    android_app_hash: Type.Optional(Type.String({ maxLength: 20 })),
  },
  { additionalProperties: false },
);

export interface SmsPolicy {
  /** Null: none of both. */
  autofillHost: string | null;
  androidAppHash: string | null;
}

const HOST = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;
const APP_HASH = /^[A-Za-z0-9+/]{11}$/;

/** What the schema cannot say as plainly: a JSON pointer and a sentence each. */
export function smsIssues(settings: Static<typeof smsSettings> = {}): { path: string; message: string }[] {
  const { autofill_host: host, android_app_hash: hash } = settings;
  return [
    ...(host === undefined || HOST.test(host)
      ? []
      : [
          {
            path: '/sms/autofill_host',
            message: 'must be a host name in lower case, such as auth.example.com: no scheme, port or path',
          },
        ]),
    ...(hash === undefined || APP_HASH.test(hash)
      ? []
      : [{ path: '/sms/android_app_hash', message: 'must be the eleven signs alone, such as FA+9qCX9VSu' }]),
  ];
}

/** Fills in the defaults. */
export function smsPolicyOf(settings: Static<typeof smsSettings> = {}): SmsPolicy {
  return {
    autofillHost: settings.autofill_host ?? null,
    androidAppHash: settings.android_app_hash ?? null,
  };
}
