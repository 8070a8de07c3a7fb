import type { TemplateName } from '../../tenants/tenants.ts';
import { amharic } from './languages/am.ts';
import { english } from './languages/en.ts';
import { persian } from './languages/fa.ts';
import { russian } from './languages/ru.ts';
import { uzbek } from './languages/uz.ts';

/** What one message says in one language. `{{tenant}}` and its like are filled in. */
export interface MessageWords {
  /** One segment with a name of 20 characters: 160 of GSM-7, or 70 where the script needs UCS-2; its first sentence is enough alone. */
  sms: string;
  subject: string;
  /** One sentence before the code or the facts. */
  intro: string;
  /** What to do if it was not you. */
  ifNotYou: string;
}

/** Every word of Firstproof's messages in one language. */
export interface Words {
  direction: 'ltr' | 'rtl';
  greeting: string;
  greetingByName: string;
  /** `{{count}}` and the unit, in the form that follows "for"; by the plural rules of the language. */
  minutes: Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };
  /** How a screen reader names the code. */
  codeLabel: string;
  expiry: string;
  codeAdvice: string;
  facts: { device: string; place: string; time: string; address: string };
  /** The button that undoes what a notice tells of. */
  undo: string;
  /** The button by which a chat proves its number again. */
  proveAgain: string;
  /** The button by which a person says that somebody else did it. */
  notMe: string;
  support: string;
  footer: string;
  messages: Record<TemplateName, MessageWords>;
}

const languages = { en: english, ru: russian, uz: uzbek, fa: persian, am: amharic } as const;

/** Languages that messages are written in. */
export const messageLocales: readonly string[] = Object.keys(languages);

/** The words of a language; English where there are none. */
export function wordsOf(locale: string): Words {
  return (languages as Record<string, Words>)[locale] ?? english;
}

/** Made once each: building the rules of a language costs more than the rest of a message. */
const minutesKnown = new Map<string, string>();

/** A length of time as the language counts it: 300 seconds are "5 minutes", "5 минут", "۵ دقیقه". Never below one. */
export function minutesIn(locale: string, seconds: number): string {
  const words = wordsOf(locale);
  const count = Math.max(1, Math.floor(seconds / 60));
  const key = `${locale} ${count}`;
  const known = minutesKnown.get(key);
  if (known !== undefined) return known;
  const form = words.minutes[new Intl.PluralRules(locale).select(count)] ?? words.minutes.other;
  // A line never ends between the number and its unit.
  const text = form.replace('{{count}} ', `${new Intl.NumberFormat(locale).format(count)}\u00a0`);
  // Codes live for ten minutes at most and languages are few; anything beyond that is not worth keeping.
  if (minutesKnown.size < 1000) minutesKnown.set(key, text);
  return text;
}

/** A moment as the language writes it, in UTC and saying so: nobody's time zone is guessed. */
export function momentIn(locale: string, moment: Date): string {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  return `${format.format(moment)} UTC`;
}
