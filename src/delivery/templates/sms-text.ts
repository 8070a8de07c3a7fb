import { sizeOfSms } from '../segments.ts';
import { shorten } from './display-text.ts';
import { substitute, type Values } from './substitute.ts';

/** What lets a phone fill a code in: the page it is for, and the Android app that may read it. */
export interface SmsAutofill {
  /** Host name of the page on which the code is typed; null: none. */
  host: string | null;
  /** Eleven signs by which Android knows the app; null: none. */
  androidHash: string | null;
}

/** A longer name is cut in any SMS. */
const LONGEST_NAME = 20;
/** A name is cut down to this, so that a text fits, before its further sentences go. */
const SHORTEST_NAME = 6;
/** Where the first sentence of a text ends, in every script that texts are written in. */
const SENTENCE_END = /(?<=[.?!؟።])\s|\n/;

/**
 * The built-in text of an SMS, in one segment: what does not fit goes, the least needed first. The tenant's name is cut,
 * then the advice after the first sentence is left out, then the app's hash and the page's line.
 * @param words the text with its placeholders
 */
export function smsText(words: string, given: Values, autofill: SmsAutofill): string {
  const values = { ...given, tenant: plainSigns(given['tenant'] ?? '') };
  const [first = words] = words.split(SENTENCE_END);
  for (const lines of linesFor(given['code'] ?? '', autofill)) {
    for (const part of [words, first]) {
      for (let longest = LONGEST_NAME; longest >= SHORTEST_NAME; longest -= 1) {
        const text = filled(part, values, longest) + lines;
        if (sizeOfSms(text).segments === 1) return text;
      }
    }
  }
  return filled(first, values, SHORTEST_NAME);
}

/** A tenant's own text: as it was written, with a long name cut. How many segments it takes is the tenant's affair. */
export function ownSmsText(words: string, values: Values, autofill: SmsAutofill): string {
  const [lines = ''] = linesFor(values['code'] ?? '', autofill);
  return filled(words, values, LONGEST_NAME) + lines;
}

function filled(words: string, values: Values, longest: number): string {
  return substitute(words, { ...values, tenant: shorten(values['tenant'] ?? '', longest) });
}

/**
 * What stands below a text that carries a code, from most to least. The page's line is the last one
 * (https://wicg.github.io/sms-one-time-codes/#format), the app's hash stands before it on a line of its own (Google, SMS
 * Retriever: eleven signs anywhere in the message, which needs no mark at its beginning any more).
 */
function linesFor(code: string, { host, androidHash }: SmsAutofill): string[] {
  if (code === '') return [''];
  const hash = androidHash === null ? '' : `\n${androidHash}`;
  const page = host === null ? '' : `\n@${host} #${code}`;
  return [...new Set([hash + page, page, hash, ''])];
}

/** Signs that word processors put into names, as GSM-7 has them: one of the others would halve the room or worse. */
function plainSigns(name: string): string {
  return name
    .replace(/[\u02bb\u02bc\u2018\u2019\u201b`]/g, "'")
    .replace(/[\u201c-\u201f\u00ab\u00bb]/g, '"')
    .replace(/[\u2010-\u2015]/g, '-')
    .replace(/\u2026/g, '...')
    .replace(/[\u00a0\u2000-\u200a\u202f]/g, ' ');
}
