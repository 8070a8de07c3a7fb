import { make } from './dom.ts';

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;
const CONTROLS = 'input, select, textarea';

/** Title and one sentence. */
export function leadOf(title: string, text?: string, ...more: Node[]): HTMLElement {
  const heading = make('h2', { part: 'title' }, title);
  return make(
    'div',
    { class: 'lead' },
    heading,
    text ? make('p', { class: 'soft', part: 'lead' }, text) : null,
    ...more,
  );
}

type Press = () => void | Promise<void>;
type Given = Readonly<Record<string, string>>;

export function buttonOf(text: string | Node, press: Press, given: Given = {}): HTMLButtonElement {
  return pressable(text, press, { class: 'button', part: 'button', ...given });
}

/** A button that looks like a link: it goes nowhere, and the keyboard reaches it. */
export function linkOf(text: string, press: Press): HTMLButtonElement {
  return pressable(text, press, { class: 'link', part: 'link' });
}

function pressable(text: string | Node, press: Press, given: Given): HTMLButtonElement {
  const onclick = (): void => once(button, press);
  const button = make('button', { type: 'button', onclick, ...given }, text);
  return button;
}

/** What is under way is not begun a second time. */
function once(button: HTMLElement, press: Press): void {
  if (button.hasAttribute('aria-busy')) return;
  const underWay = press();
  if (!underWay) return;
  button.setAttribute('aria-busy', 'true');
  void underWay.finally(() => button.removeAttribute('aria-busy'));
}

export function choicesOf(...links: HTMLElement[]): HTMLElement {
  return make('div', { class: 'choices', part: 'choices' }, ...links);
}

/** How a field is told: `optional` is the word for one that may be left empty. */
export interface Told {
  name: string;
  label: string;
  hint?: string | undefined;
  optional?: string | undefined;
}

/** A name of any characters as an id. */
export function idOf(name: string): string {
  return encodeURIComponent(name);
}

/** What is wrong with a field, once something is, and its hint. */
export function below({ name, hint }: Told): (Node | null)[] {
  const id = idOf(name);
  return [
    make('p', { class: 'wrong', id: `${id}-wrong`, part: 'wrong', hidden: true }),
    hint ? make('p', { class: 'hint', id: `${id}-hint`, part: 'hint' }, hint) : null,
  ];
}

/** What every control of a field says of itself. */
export function saying({ name, hint, optional }: Told): Record<string, string | boolean> {
  const id = idOf(name);
  const describedBy = hint ? `${id}-wrong ${id}-hint` : `${id}-wrong`;
  return { id, name, required: optional === undefined, 'aria-describedby': describedBy };
}

export function labelTexts({ label, optional }: Told): (string | Node | null)[] {
  return [label, optional ? make('span', { class: 'optional' }, ` (${optional})`) : null];
}

/** A control under its label, its hint and what is wrong with it below. */
export function framed(told: Told, control: Control): HTMLElement {
  const label = make('label', { for: idOf(told.name), part: 'label' }, ...labelTexts(told));
  return make('div', { class: 'field', part: 'field' }, label, control, ...below(told));
}

/** A line to type in. Addresses and codes run from left to right in every language; `dir: undefined` for words. */
export function fieldOf(
  told: Told,
  given: Readonly<Record<string, string | number | undefined>>,
): HTMLElement {
  const plain = { autocapitalize: 'none', spellcheck: 'false', dir: 'ltr' };
  return framed(told, make('input', { part: 'input', ...plain, ...saying(told), ...given }));
}

/** A password, with a button that shows what was typed. */
export function passwordFieldOf(
  words: { show: string; hide: string },
  told: Told,
  autocomplete: 'current-password' | 'new-password',
): HTMLElement {
  const field = fieldOf(told, { type: 'password', autocomplete });
  const input = field.querySelector('input');
  if (!input) return field;
  const reveal = make(
    'button',
    {
      class: 'reveal',
      part: 'reveal',
      type: 'button',
      'aria-controls': input.id,
      'aria-pressed': 'false',
      onclick: () => {
        const isShown = input.type === 'password';
        input.type = isShown ? 'text' : 'password';
        reveal.textContent = isShown ? words.hide : words.show;
        reveal.setAttribute('aria-pressed', String(isShown));
      },
    },
    words.show,
  );
  const frame = make('span', { class: 'secret' });
  input.replaceWith(frame);
  frame.append(input, reveal);
  return field;
}

/** Says what is wrong beside a field. */
function markField(control: Control, text: string): void {
  const wrong = control.closest('.field')?.querySelector<HTMLElement>('.wrong');
  if (wrong) {
    wrong.textContent = text;
    wrong.hidden = false;
  }
  control.setAttribute('aria-invalid', 'true');
}

/** @param wrong what is wrong, by the names of fields @returns where to go on, and whether each was found */
export function markFields(
  root: ParentNode,
  wrong: ReadonlyMap<string, string>,
): { first: Control | undefined; isAll: boolean } {
  const controls = [...root.querySelectorAll<Control>(CONTROLS)];
  const found = [...wrong].flatMap(([name, text]) => {
    const control = controls.find((each) => each.name === name);
    if (control) markField(control, text);
    return control ? [control] : [];
  });
  const first = controls.find((each) => found.includes(each)) ?? controls[0];
  return { first, isAll: found.length === wrong.size };
}

/** Keeps what stands in a form for the next one; no password and no code. */
export function keepTyped(form: HTMLFormElement, kept: Map<string, string[]>): void {
  const fields = new FormData(form);
  for (const { name } of form.querySelectorAll<Control>(CONTROLS)) {
    if (name !== 'password' && name !== 'code') kept.set(name, fields.getAll(name).map(String));
  }
}

function clearMarks(form: HTMLFormElement): void {
  for (const marked of form.querySelectorAll('[aria-invalid]')) marked.removeAttribute('aria-invalid');
  for (const wrong of form.querySelectorAll<HTMLElement>('.wrong')) {
    wrong.hidden = true;
    wrong.textContent = '';
  }
}

/** A form whose one press sends it once. @param submit starts the call; what it throws is shown by whoever gave it */
export function formOf(
  words: { action: string; required: string },
  submit: (fields: FormData) => Promise<void>,
  ...children: Node[]
): HTMLFormElement {
  const button = make('button', { class: 'button', part: 'button', type: 'submit' }, words.action);
  const form = make(
    'form',
    {
      part: 'form',
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        if (button.hasAttribute('aria-busy')) return;
        clearMarks(form);
        // Sent as a password, so that a keeper of passwords knows it for one.
        for (const shown of form.querySelectorAll<HTMLElement>('.reveal[aria-pressed="true"]')) shown.click();
        const empty = [...form.querySelectorAll<Control>(CONTROLS)].filter(
          ({ required, type, value }) => required && type !== 'checkbox' && value.trim() === '',
        );
        for (const control of empty) markField(control, words.required);
        if (empty[0]) return empty[0].focus();
        once(button, () => submit(new FormData(form)));
      },
    },
    ...children,
    button,
  );
  return form;
}

export function textOf(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === 'string' ? value : '';
}
