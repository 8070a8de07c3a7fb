import { parseEmail } from '../kernel/email.ts';
import { phoneCountries, splitPhone } from '../kernel/phone-countries.ts';
import { parsePhone } from '../kernel/phone.ts';
import { codeWaysOf } from '../signin/sign-in-ways.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { html, type Html } from '../web/html.ts';
import { below, describedBy, fieldOf, idOf, labelOf } from './components.ts';
import { type Fields, textOf, trimmedOf } from './context.ts';
import type { Problem } from './problems.ts';
import type { Visit } from './visit.ts';
import type { FieldProblemName, Words } from './words.ts';

/** By what somebody may say who they are. */
export type Way = 'phone' | 'email' | 'telegram' | 'username';

/** The ways that lead in here: kinds of address whose codes can be sent, in the tenant's order. */
export function codeWays(visit: Visit): Way[] {
  return codeWaysOf(visit.context.signIn, visit.site.tenant);
}

/** Those whose address is typed and gets a code; Telegram proves itself. */
export function typedWays(visit: Visit): Way[] {
  return codeWays(visit).filter((way) => way !== 'telegram');
}

/** The ways to say whose password it is. */
export function passwordWays({ site }: Visit): Way[] {
  return [...site.tenant.policy.identifiers];
}

/** The way that was chosen, else the first one open. */
export function wayOf(ways: readonly Way[], wish: string): Way | undefined {
  return ways.find((way) => way === wish) ?? ways[0];
}

/** The ways side by side, as links: choosing one needs no script. */
export function waysMenu(
  { words }: Visit,
  ways: readonly Way[],
  current: Way,
  href: (way: Way) => string,
): Html | null {
  if (ways.length < 2) return null;
  const links = ways.map(
    (way) =>
      html`<a href="${href(way)}"${way === current && html` aria-current="true"`}>${words.ways[way]}</a>`,
  );
  return html`<nav class="ways" aria-label="${words.ways.legend}">${links}</nav>`;
}

/** The field for the way that was chosen. */
export function addressField(visit: Visit, way: Way, fields: Fields, problem: Problem | undefined): Html {
  const { words } = visit;
  const common = { name: way, problem, value: textOf(fields, way), required: true, leftToRight: true };
  switch (way) {
    case 'phone':
      return phoneField(visit, fields, problem);
    case 'email':
      return fieldOf(visit, {
        ...common,
        label: words.fields.email,
        type: 'email',
        autocomplete: 'username',
        inputMode: 'email',
        placeholder: words.fields.emailPlaceholder,
      });
    case 'telegram':
      return fieldOf(visit, {
        ...common,
        label: words.fields.telegram,
        autocomplete: 'off',
        inputMode: 'numeric',
        hint: words.fields.telegramHint,
      });
    case 'username':
      return fieldOf(visit, { ...common, label: words.fields.username, autocomplete: 'username' });
  }
}

function phoneField(visit: Visit, fields: Fields, problem: Problem | undefined): Html {
  const { words } = visit;
  const chosen = countryOf(visit, fields);
  const wrong = problem?.fields['phone'];
  const id = idOf('phone');
  return html`<div class="field">${labelOf(visit, id, words.fields.phone)}<div class="joined"><select name="country" aria-label="${words.fields.country}" autocomplete="country" data-phone="${id}">${countryOptions(visit, chosen)}</select><input id="${id}" name="phone" type="tel" class="ltr" autocomplete="tel-national" inputmode="tel" value="${textOf(fields, 'phone')}" placeholder="${exampleOf(chosen)}" required${describedBy(id, null, wrong, problem?.about === 'phone')}></div>${below(id, null, wrong)}</div>`;
}

/** Countries whose numbers this tenant takes, with their options already written; one list for each language. */
const optionsKnown = new Map<string, readonly { country: string; before: Html; after: Html }[]>();

function countryOptions({ site, locale }: Visit, chosen: string): Html[] {
  const { phonePrefixes } = site.tenant;
  const key = `${locale} ${phonePrefixes.join()}`;
  let options = optionsKnown.get(key);
  if (!options) {
    options = writeOptions(locale, phonePrefixes);
    if (optionsKnown.size < 200) optionsKnown.set(key, options);
  }
  return options.map(
    ({ country, before, after }) => html`${before}${country === chosen && html` selected`}${after}`,
  );
}

function writeOptions(locale: string, prefixes: readonly string[]) {
  const names = new Intl.DisplayNames(locale, { type: 'region' });
  const collator = new Intl.Collator(locale);
  return phoneCountries()
    .filter(({ example, callingCode }) => takes(prefixes, example || callingCode))
    .map((each) => ({ ...each, name: names.of(each.country) ?? each.country }))
    .sort((left, right) => collator.compare(left.name, right.name))
    .map(({ country, callingCode, shape, name }) => ({
      country,
      before: html`<option value="${country}" data-shape="${shape}"`,
      // A mark keeps the plus before its digits among words that run from right to left.
      after: html`>${name} \u200e${callingCode}</option>`,
    }));
}

/** A prefix may reach into the number: +1415. Such a tenant still takes the country. */
function takes(prefixes: readonly string[], number: string): boolean {
  if (prefixes.length === 0) return true;
  return prefixes.some((prefix) => number.startsWith(prefix) || prefix.startsWith(number));
}

const COUNTRY_OF_LANGUAGE: Record<string, string> = { uz: 'UZ', fa: 'IR', am: 'ET', ru: 'RU' };

/** The country chosen, else the tenant's, else one that fits the prefixes, the browser or the language. */
function countryOf(visit: Visit, fields: Fields): string {
  const { policy, phonePrefixes } = visit.site.tenant;
  const taken = phoneCountries().filter(({ example }) => takes(phonePrefixes, example));
  const region = /^[a-z]{2,3}-(?:[A-Z][a-z]{3}-)?([A-Z]{2})\b/i.exec(visit.clues.acceptLanguage ?? '')?.[1];
  const wishes = [
    textOf(fields, 'country'),
    policy.defaultCountry,
    region?.toUpperCase(),
    COUNTRY_OF_LANGUAGE[visit.locale],
    'US',
  ];
  const found = wishes.find((wish) => taken.some(({ country }) => country === wish));
  return found ?? taken[0]?.country ?? 'US';
}

function exampleOf(chosen: string): string {
  const example = phoneCountries().find(({ country }) => country === chosen)?.example ?? '';
  return splitPhone(example)?.national ?? '';
}

/** What was typed, as the use cases take it, or what is wrong with it. */
export type ReadAddress =
  | { ok: true; address: { phone?: string; email?: string; telegram_user_id?: string; username?: string } }
  | { ok: false; fields: Record<string, FieldProblemName> };

/** Longer than any address: such text is not even looked at. */
const LONGEST = 320;

export function readAddress(tenant: Tenant, way: Way, fields: Fields): ReadAddress {
  const text = trimmedOf(fields, way);
  const refuse = (problem: FieldProblemName): ReadAddress => ({ ok: false, fields: { [way]: problem } });
  if (text === undefined) return refuse('required');
  if (text.length > LONGEST) return refuse(way === 'username' ? 'username' : way);
  switch (way) {
    case 'phone': {
      const country = textOf(fields, 'country') || tenant.policy.defaultCountry;
      // 00 is how most of the world dials the plus.
      const parsed = parsePhone(text.replace(/^\s*00(?=[1-9])/, '+'), country);
      return parsed.ok
        ? { ok: true, address: { phone: parsed.phone } }
        : refuse(PHONE_PROBLEMS[parsed.reason]);
    }
    case 'email':
      return parseEmail(text).ok ? { ok: true, address: { email: text } } : refuse('email');
    case 'telegram':
      return /^[1-9]\d{0,15}$/.test(text)
        ? { ok: true, address: { telegram_user_id: text } }
        : refuse('telegram');
    case 'username':
      return text.length <= 64 ? { ok: true, address: { username: text } } : refuse('username');
  }
}

const PHONE_PROBLEMS = {
  not_a_number: 'phone',
  country_required: 'phoneCountry',
  extension: 'phoneExtension',
  invalid_phone: 'phone',
} as const satisfies Record<string, keyof Words['fieldProblems']>;
