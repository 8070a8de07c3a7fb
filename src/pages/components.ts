import { html, type Html, type HtmlChild } from '../web/html.ts';
import type { Problem } from './problems.ts';
import { tokenOf, type Visit } from './visit.ts';
import type { Told } from './words.ts';

/** A form that only this browser can send, and only from here. */
export function formOf(
  visit: Visit,
  action: string,
  hidden: Readonly<Record<string, string | undefined>>,
  children: HtmlChild,
  className = 'stack',
): Html {
  const kept = Object.entries(hidden).map(
    ([name, value]) => value !== undefined && html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form method="post" action="${action}" class="${className}" novalidate><input type="hidden" name="form_token" value="${tokenOf(visit)}">${kept}${children}</form>`;
}

export interface FieldOptions {
  name: string;
  label: string;
  value?: string | undefined;
  type?: string;
  hint?: HtmlChild;
  problem?: Problem | undefined;
  autocomplete?: string;
  inputMode?: string;
  required?: boolean;
  /** Says "optional" beside the label. */
  optional?: boolean;
  maxLength?: number;
  placeholder?: string;
  /** Addresses and numbers are written from left to right in every language. */
  leftToRight?: boolean;
}

/** One line to fill in, its label above it, its hint and what is wrong below. */
export function fieldOf(visit: Visit, options: FieldOptions): Html {
  const { name, label, type = 'text', hint, problem } = options;
  const id = idOf(name);
  const wrong = problem?.fields[name];
  const input = html`<input id="${id}" name="${name}" type="${type}" value="${options.value ?? ''}"${attributes(
    {
      autocomplete: options.autocomplete,
      inputmode: options.inputMode,
      placeholder: options.placeholder,
      maxlength: options.maxLength === undefined ? undefined : String(options.maxLength),
      class: options.leftToRight ? 'ltr' : undefined,
      autocapitalize: options.leftToRight ? 'none' : undefined,
      spellcheck: options.leftToRight ? 'false' : undefined,
    },
  )}${options.required && html` required`}${describedBy(id, hint, wrong, problem?.about === name)}>`;
  const box =
    type === 'password'
      ? html`<span class="secret" data-reveal="${visit.words.show}" data-hide="${visit.words.hide}">${input}</span>`
      : input;
  return html`<div class="field">${labelOf(visit, id, label, options.optional)}${box}${below(id, hint, wrong)}</div>`;
}

export function labelOf(visit: Visit, id: string, label: string, optional = false): Html {
  return html`<label for="${id}">${label}${optional && html` <span class="optional">(${visit.words.optional})</span>`}</label>`;
}

/** Points a field to its hint and to what is wrong with it. @param isAbout the sentence above the form is about it */
export function describedBy(id: string, hint: HtmlChild, wrong: string | undefined, isAbout = false): Html {
  const ids = [
    ...(isAbout ? [PROBLEM] : []),
    ...(wrong === undefined ? [] : [`${id}-wrong`]),
    ...(hint ? [`${id}-hint`] : []),
  ];
  return html`${(isAbout || wrong !== undefined) && html` aria-invalid="true"`}${ids.length > 0 && html` aria-describedby="${ids.join(' ')}"`}`;
}

export function below(id: string, hint: HtmlChild, wrong: string | undefined): Html {
  return html`${wrong !== undefined && html`<p class="wrong" id="${id}-wrong">${wrong}</p>`}${hint ? html`<p class="hint" id="${id}-hint">${hint}</p>` : null}`;
}

function attributes(given: Readonly<Record<string, string | undefined>>): Html {
  return html`${Object.entries(given).map(([name, value]) => value !== undefined && html` ${name}="${value}"`)}`;
}

export function idOf(name: string): string {
  return `field-${name.replace(/[^\w-]/g, '-')}`;
}

const PROBLEM = 'problem';

/** What went wrong, read out at once. */
export function problemBox(problem: Problem | undefined): Html | null {
  if (problem?.notice === undefined) return null;
  const { botLink } = problem;
  return html`<div class="notice bad" role="alert" id="${PROBLEM}"><p>${problem.notice}</p>${botLink !== undefined && html`<p><a href="${botLink}" rel="noopener noreferrer">${botLink}</a></p>`}</div>`;
}

/** What went well. */
export function noticeBox(text: string): Html {
  return html`<div class="notice" role="status"><p>${text}</p></div>`;
}

/** An address from left to right; too long for its line it breaks where its parts do. */
export function addressText(address: string, className = 'whole'): Html {
  return html`<bdi class="${className}" dir="ltr">${withBreaks(address, /(?<=@)|(?=\.)/)}</bdi>`;
}

/** A text that breaks at these places, where its line is too short for it. */
export function withBreaks(text: string, places: RegExp): Html {
  return html`${text.split(places).map((part, index) => html`${index > 0 && html`<wbr>`}${part}`)}`;
}

export function submitOf(text: string): Html {
  return html`<button class="button full" type="submit">${text}</button>`;
}

/** Title and one sentence. */
export function leadOf(title: string, text?: HtmlChild): Html {
  return html`<div class="lead"><h1>${title}</h1>${text ? html`<p class="soft">${text}</p>` : null}</div>`;
}

/** A page that only tells something, and what to do next. */
export function toldBody(told: Told, next: HtmlChild): Html {
  return html`<div class="stack">${leadOf(told.title, told.text)}${next}</div>`;
}

export function nextLink(href: string, text: HtmlChild): Html {
  return html`<a class="button full" href="${href}">${text}</a>`;
}
