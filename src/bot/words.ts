import type { ErrorCode } from '../kernel/errors.ts';
import { amharic } from './languages/am.ts';
import { english } from './languages/en.ts';
import { persian } from './languages/fa.ts';
import { russian } from './languages/ru.ts';
import { uzbek } from './languages/uz.ts';

/** Every word of the bot in one language. `{{…}}` is filled in. */
export interface BotWords {
  /** What Telegram shows before the first Start, and on the bot's card. */
  description: string;
  shortDescription: string;
  commands: { start: string; verify: string; devices: string; name: string; logout: string; help: string };
  /** Nothing here takes what was written. */
  unknown: string;
  privateOnly: string;
  notSignedIn: string;
  start: { greeting: string; yourId: string; copyId: string; unknownLink: string };
  help: string;
  verify: { ask: string; created: string; signedIn: string; token: string; copyToken: string };
  refusals: Partial<Record<ErrorCode, string>> & { other: string };
  /** After a wrong code. */
  attemptsLeft: string;
  devices: {
    list: string;
    none: string;
    thisChat: string;
    lastSeen: string;
    end: string;
    endOthers: string;
    confirmOne: string;
    confirmOthers: string;
    yes: string;
    no: string;
    ended: string;
    gone: string;
  };
  name: { ask: string; done: string; invalid: string };
  logout: { done: string; everywhere: string; confirm: string; endedAll: string };
}

const languages: Readonly<Record<string, BotWords>> = {
  en: english,
  ru: russian,
  uz: uzbek,
  fa: persian,
  am: amharic,
};

/** The languages the bot speaks, by Telegram's own codes. */
export const botLocales: readonly string[] = Object.keys(languages);

/** The words of a language; English where there are none. */
export function wordsOf(locale: string): BotWords {
  return languages[locale] ?? english;
}

/** Fills `{{name}}` in; what is filled in is never read again. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole);
}
