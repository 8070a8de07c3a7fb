import { html, type Html, type HtmlChild } from '../web/html.ts';
import { amharic } from './languages/am.ts';
import { english } from './languages/en.ts';
import { persian } from './languages/fa.ts';
import { russian } from './languages/ru.ts';
import { uzbek } from './languages/uz.ts';
import type { Plural, Words } from './vocabulary.ts';

export type { FieldProblemName, Plural, ProblemName, Told, Words } from './vocabulary.ts';

const languages = { en: english, ru: russian, uz: uzbek, fa: persian, am: amharic } as const;

/** Languages the pages speak, in the order of the menu. */
export const pageLocales: readonly string[] = Object.keys(languages);

/** The words of a language; English where there are none. */
export function wordsOf(locale: string): Words {
  return (languages as Record<string, Words>)[locale] ?? english;
}

/** Fills `{name}` in a sentence. */
export function fill(sentence: string, values: Record<string, string>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** The same with markup; the sentence and every text are escaped. */
export function fillHtml(sentence: string, values: Record<string, HtmlChild>): Html {
  const parts = sentence.split(/\{(\w+)\}/);
  return html`${parts.map((part, index) => (index % 2 === 0 ? part : (values[part] ?? null)))}`;
}

/** So many of something, as the language counts. */
export function counted(locale: string, forms: Plural, count: number): string {
  const form = forms[new Intl.PluralRules(locale).select(count)] ?? forms.other;
  return fill(form, { count: new Intl.NumberFormat(locale).format(count) });
}

/** Minutes and seconds as a clock shows them: 1:05. */
export function clockIn(locale: string, seconds: number): string {
  const two = new Intl.NumberFormat(locale, { minimumIntegerDigits: 2, useGrouping: false });
  const plain = new Intl.NumberFormat(locale, { useGrouping: false });
  return `${plain.format(Math.floor(seconds / 60))}:${two.format(seconds % 60)}`;
}
