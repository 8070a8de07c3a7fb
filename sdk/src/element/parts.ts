import { make } from './dom.ts';

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

export function buttonOf(text: string, press: () => void): HTMLElement {
  return make('button', { class: 'button', part: 'button', type: 'button', onclick: press }, text);
}

/** A button that looks like a link: it goes nowhere, and the keyboard reaches it. */
export function linkOf(text: string, press: () => void): HTMLButtonElement {
  return make('button', { class: 'link', part: 'link', type: 'button', onclick: press }, text);
}

export function choicesOf(...links: HTMLElement[]): HTMLElement {
  return make('div', { class: 'choices', part: 'choices' }, ...links);
}

/** A field under its label, its hint and what is wrong with it below. */
export function fieldOf(
  label: string,
  given: Readonly<Record<string, string | number | undefined>>,
  hint?: string,
): HTMLElement {
  const id = String(given['name']);
  return make(
    'div',
    { class: 'field', part: 'field' },
    make('label', { for: id, part: 'label' }, label),
    make('input', {
      id,
      part: 'input',
      required: true,
      autocapitalize: 'none',
      spellcheck: 'false',
      ...given,
    }),
    make('p', { class: 'wrong', id: `${id}-wrong`, part: 'wrong', hidden: true }),
    hint ? make('p', { class: 'hint', part: 'hint' }, hint) : null,
  );
}

/** Says what is wrong beside a field, and goes there. */
export function markField(field: HTMLInputElement, text: string): void {
  const wrong = field.parentElement?.querySelector<HTMLElement>('.wrong');
  if (wrong) {
    wrong.textContent = text;
    wrong.hidden = false;
    field.setAttribute('aria-describedby', wrong.id);
  }
  field.setAttribute('aria-invalid', 'true');
  field.focus();
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
        const empty = [...form.querySelectorAll('input')].find((input) => input.value.trim() === '');
        if (empty) return markField(empty, words.required);
        button.setAttribute('aria-busy', 'true');
        void submit(new FormData(form));
      },
    },
    ...children,
    button,
  );
  return form;
}
