import { en } from './languages/en.ts';

/** Forms by the plural rules of the language; `{count}` is the number. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** Every word of the element in one language. What stands in braces is filled in. */
export interface ElementWords {
  title: string;
  lead: string;
  leadClosed: string;
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
  newPassword: string;
  firstName: string;
  lastName: string;
  codeLabel: string;
  telegramHint: string;
  passwordHint: string;
  optional: string;
  choose: string;
  show: string;
  hide: string;
  send: string;
  signIn: string;
  usePassword: string;
  useCode: string;
  create: string;
  signUpTitle: string;
  signUpLead: string;
  haveAccount: string;
  forgot: string;
  forgotLead: string;
  remembered: string;
  resetTitle: string;
  resetLead: string;
  resetAction: string;
  resetGone: string;
  setPasswordTitle: string;
  setPasswordLead: string;
  sendTo: string;
  withPassword: string;
  secondProofTitle: string;
  secondProofLead: string;
  secondProofStuckTitle: string;
  secondProofStuck: string;
  secondProofForgotten: string;
  anew: string;
  anewText: string;
  save: string;
  later: string;
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
  alreadyRegistered: string;
  registrationClosed: string;
  countryNotAllowed: string;
  telegramChatUnknown: string;
  unavailable: string;
  challengeFailed: string;
  person: string;
  captchaLead: string;
  captchaAway: string;
  busy: string;
  fault: string;
  tryIn: string;
  checkFields: string;
  required: string;
  invalid: string;
  notAllowed: string;
  tooShort: string;
  tooLong: string;
  characters: string;
  usernameTaken: string;
  passwordCommon: string;
  passwordPersonal: string;
  badPhone: string;
  badEmail: string;
  badTelegram: string;
  badUsername: string;
  attempts: Plural;
}

/** The languages of the hosted pages, in the same words. English is there at once; another is fetched when it is spoken. */
export const elementWords: Readonly<Record<string, () => Promise<ElementWords>>> = {
  en: async () => en,
  ru: async () => (await import('./languages/ru.ts')).ru,
  uz: async () => (await import('./languages/uz.ts')).uz,
  fa: async () => (await import('./languages/fa.ts')).fa,
  am: async () => (await import('./languages/am.ts')).am,
};

/** The first of these wishes that is spoken: `uz-Latn-UZ` is `uz`. */
export function spokenOf(wishes: readonly (string | null | undefined)[]): string {
  const languages = wishes.map((wish) => (wish ?? '').toLowerCase().split('-')[0] ?? '');
  return languages.find((language) => Object.hasOwn(elementWords, language)) ?? 'en';
}
