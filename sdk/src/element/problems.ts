import { FirstproofError } from '../errors.ts';
import type { ElementWords } from './words.ts';

/** What went wrong, in the person's words: above the form, or beside the field that is at fault. */
export interface Problem {
  text: string;
  ofField: boolean;
}

const NAMES: Readonly<Record<string, keyof ElementWords>> = {
  INVALID_CODE: 'invalidCode',
  CODE_EXPIRED: 'codeExpired',
  VERIFICATION_NOT_FOUND: 'gone',
  TOO_MANY_ATTEMPTS: 'tooManyAttempts',
  RESEND_TOO_SOON: 'resendTooSoon',
  RATE_LIMITED: 'rateLimited',
  INVALID_CREDENTIALS: 'invalidCredentials',
  ACCOUNT_NOT_FOUND: 'accountNotFound',
  ACCOUNT_NOT_VERIFIED: 'invalidCredentials',
  ACCOUNT_DISABLED: 'accountDisabled',
  REGISTRATION_CLOSED: 'registrationClosed',
  COUNTRY_NOT_ALLOWED: 'countryNotAllowed',
  TELEGRAM_CHAT_UNKNOWN: 'telegramChatUnknown',
  CHANNEL_UNAVAILABLE: 'unavailable',
  LINK_DENIED: 'denied',
  LINK_EXPIRED: 'linkExpired',
  OVERLOADED: 'busy',
};

const FIELDS: Readonly<Record<string, keyof ElementWords>> = {
  '/phone': 'badPhone',
  '/email': 'badEmail',
  '/telegram_user_id': 'badTelegram',
  '/username': 'badUsername',
};

/** @param fault whatever was thrown: a refusal of the server, or a network that did not answer */
export function problemOf(fault: unknown, words: ElementWords, language: string): Problem {
  if (!(fault instanceof FirstproofError)) return { text: words.fault, ofField: false };
  const { code, details } = fault;
  const path = details.issues?.[0]?.path;
  if (path !== undefined) {
    const name = FIELDS[path] ?? (path === '/verification_code' ? 'invalidCode' : 'fault');
    return { text: words[name] as string, ofField: true };
  }
  const sentences = [words[NAMES[code] ?? 'fault'] as string];
  const { attempts_left: left, retry_after: retryAfter, resend_in: resendIn } = details;
  if (left !== undefined && left > 0 && code === 'INVALID_CODE')
    sentences.push(attempts(words, language, left));
  const seconds = retryAfter ?? resendIn;
  if (seconds !== undefined && seconds > 0 && code !== 'INVALID_CODE')
    sentences.push(words.tryIn.replace('{time}', duration(language, seconds)));
  return { text: sentences.join(' '), ofField: code === 'INVALID_CODE' };
}

function attempts({ attempts: forms }: ElementWords, language: string, count: number): string {
  const form = forms[new Intl.PluralRules(language).select(count)] ?? forms.other;
  return form.replace('{count}', new Intl.NumberFormat(language).format(count));
}

function duration(language: string, seconds: number): string {
  const [value, unit] =
    seconds < 60
      ? [seconds, 'second']
      : seconds < 3600
        ? [Math.ceil(seconds / 60), 'minute']
        : [Math.ceil(seconds / 3600), 'hour'];
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}
