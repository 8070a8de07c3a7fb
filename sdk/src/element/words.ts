import { en } from './languages/en.ts';
import { ru } from './languages/ru.ts';
import { uz } from './languages/uz.ts';
import { fa } from './languages/fa.ts';
import { am } from './languages/am.ts';

/** Forms by the plural rules of the language; `{count}` is the number. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** Every word of the element in one language. What stands in braces is filled in. */
export interface ElementWords {
  title: string;
  lead: string;
  ways: string;
  phone: string;
  email: string;
  telegram: string;
  username: string;
  phoneLabel: string;
  emailLabel: string;
  telegramLabel: string;
  usernameLabel: string;
  passwordLabel: string;
  codeLabel: string;
  telegramHint: string;
  send: string;
  signIn: string;
  usePassword: string;
  useCode: string;
  codeTitle: string;
  bySms: string;
  byEmail: string;
  byTelegram: string;
  confirm: string;
  change: string;
  resend: string;
  resendIn: string;
  resent: string;
  begin: string;
  linkTitle: string;
  linkLead: string;
  open: string;
  number: string;
  waiting: string;
  opened: string;
  typeId: string;
  denied: string;
  linkExpired: string;
  another: string;
  again: string;
  done: string;
  invalidCode: string;
  codeExpired: string;
  gone: string;
  tooManyAttempts: string;
  resendTooSoon: string;
  rateLimited: string;
  invalidCredentials: string;
  accountNotFound: string;
  accountDisabled: string;
  registrationClosed: string;
  countryNotAllowed: string;
  telegramChatUnknown: string;
  unavailable: string;
  busy: string;
  fault: string;
  tryIn: string;
  required: string;
  badPhone: string;
  badEmail: string;
  badTelegram: string;
  badUsername: string;
  attempts: Plural;
}

/** The languages of the hosted pages, in the same words. */
export const elementWords: Readonly<Record<string, ElementWords>> = { en, ru, uz, fa, am };
