import { FirstproofError } from '../errors.ts';
import type { ElementWords } from './words.ts';

/** What went wrong, in the person's words: above the form, and beside the fields that are at fault, by their names. */
export interface Problem {
  text: string;
  fields: ReadonlyMap<string, string>;
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
  ALREADY_REGISTERED: 'alreadyRegistered',
  REGISTRATION_CLOSED: 'registrationClosed',
  COUNTRY_NOT_ALLOWED: 'countryNotAllowed',
  TELEGRAM_CHAT_UNKNOWN: 'telegramChatUnknown',
  CHANNEL_UNAVAILABLE: 'unavailable',
  LINK_DENIED: 'denied',
  LINK_EXPIRED: 'linkExpired',
  PROOF_OF_WORK_REQUIRED: 'challengeFailed',
  TOKEN_INVALID: 'resetGone',
  TOKEN_EXPIRED: 'resetGone',
  OVERLOADED: 'busy',
};

/** Sentences of the server, recognised: said in the person's language. */
const SENTENCES: readonly (readonly [RegExp, keyof ElementWords])[] = [
  [/required/, 'required'],
  [/username is taken/, 'usernameTaken'],
  [/control characters/, 'characters'],
  [/most used|easy to guess/, 'passwordCommon'],
  [/made of your name/, 'passwordPersonal'],
  [/at least (\d+) characters|fewer than (\d+) characters/, 'tooShort'],
  [/(\d+) characters at most|1 to (\d+) characters|more than (\d+) characters/, 'tooLong'],
  [/cannot be used here|cannot be registered|switched off/, 'notAllowed'],
];

const FIELDS: Readonly<Record<string, keyof ElementWords>> = {
  phone: 'badPhone',
  email: 'badEmail',
  telegram: 'badTelegram',
  username: 'badUsername',
  code: 'invalidCode',
};

/** How the form calls what a request calls otherwise. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  verification_code: 'code',
  telegram_user_id: 'telegram',
  new_password: 'password',
};

/** `/custom_fields/school/grade` is the field `custom_fields.school.grade`. */
function nameOf(path: string): string {
  const steps = path.slice(1).split('/');
  const name = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')).join('.');
  return OTHER_NAMES[name] ?? name;
}

function sentenceOf(name: string, message: string, words: ElementWords, language: string): string {
  for (const [pattern, word] of SENTENCES) {
    const match = pattern.exec(message);
    if (!match) continue;
    const count = match.slice(1).find((group) => group !== undefined);
    const shown = count === undefined ? '' : new Intl.NumberFormat(language).format(Number(count));
    return (words[word] as string).replace('{count}', shown);
  }
  return words[FIELDS[name] ?? 'invalid'] as string;
}

/** @param fault whatever was thrown: a refusal of the server, or a network that did not answer */
export function problemOf(fault: unknown, words: ElementWords, language: string): Problem {
  const fields = new Map<string, string>();
  if (!(fault instanceof FirstproofError)) {
    const isCaptcha = fault instanceof Error && fault.name === 'CaptchaAway';
    return { text: isCaptcha ? words.captchaAway : words.fault, fields };
  }
  const { code, details } = fault;
  for (const { path, message } of details.issues ?? []) {
    const name = nameOf(path);
    if (!fields.has(name)) fields.set(name, sentenceOf(name, message, words, language));
  }
  const [only] = fields.values();
  if (only !== undefined) return { text: fields.size > 1 ? words.checkFields : only, fields };
  const { attempts_left: left, retry_after: retryAfter, resend_in: resendIn } = details;
  // The last wrong code ends it: to check it and try again would be in vain.
  const name = code === 'INVALID_CODE' && left === 0 ? 'tooManyAttempts' : (NAMES[code] ?? 'fault');
  const sentences = [words[name] as string];
  if (left !== undefined && left > 0 && code === 'INVALID_CODE')
    sentences.push(attempts(words, language, left));
  const seconds = retryAfter ?? resendIn;
  if (seconds !== undefined && seconds > 0 && code !== 'INVALID_CODE')
    sentences.push(words.tryIn.replace('{time}', duration(language, seconds)));
  const text = sentences.join(' ');
  if (code === 'INVALID_CODE') fields.set('code', text);
  return { text, fields };
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
