import type { VerificationSent } from '../answers.ts';
import type { TelegramLink, Way, Ways } from './calls.ts';
import { make } from './dom.ts';
import { buttonOf, choicesOf, fieldOf, formOf, leadOf, linkOf } from './parts.ts';
import type { ElementWords } from './words.ts';

export interface AddressView {
  words: ElementWords;
  ways: Ways;
  way: Way;
  byPassword: boolean;
  /** What was typed before. */
  typed: string | undefined;
  choose(way: Way, byPassword: boolean): void;
  beginLink(): void;
  submit(typed: string, password: string): Promise<void>;
}

/** By what somebody may say who they are, in this way of signing in. */
export function waysOf(ways: Ways | undefined, byPassword: boolean): Way[] {
  return (byPassword ? ways?.by_password : ways?.by_code) ?? [];
}

/** Who is it? */
export function addressView(view: AddressView, alert: HTMLElement): Node[] {
  const { words, ways, way, byPassword } = view;
  const open = waysOf(ways, byPassword);
  const menu = make(
    'div',
    { class: 'ways', part: 'ways', role: 'group', 'aria-label': words.ways },
    ...open.map((each) =>
      make(
        'button',
        {
          type: 'button',
          'aria-pressed': String(each === way),
          onclick: () => view.choose(each, byPassword),
        },
        words[each],
      ),
    ),
  );
  const hasLink = way === 'telegram' && ways.by_telegram_link;
  const others = waysOf(ways, !byPassword);
  const other = others.includes(way) ? way : others[0];
  const lead = hasLink ? words.linkLead : byPassword ? undefined : words.lead;
  return [
    leadOf(words.title.replace('{tenant}', ways.tenant.name), lead),
    alert,
    ...(open.length > 1 ? [menu] : []),
    hasLink ? buttonOf(words.begin, () => view.beginLink()) : addressForm(view),
    ...(other === undefined
      ? []
      : [
          choicesOf(
            linkOf(byPassword ? words.useCode : words.usePassword, () => view.choose(other, !byPassword)),
          ),
        ]),
  ];
}

function addressForm({ words, ways, way, byPassword, typed, submit }: AddressView): HTMLElement {
  const fields = {
    phone: [
      words.phoneLabel,
      { type: 'tel', autocomplete: 'tel', placeholder: `${ways.phone_prefixes[0] ?? '+'} …` },
      undefined,
    ],
    email: [words.emailLabel, { type: 'email', autocomplete: 'username' }, undefined],
    telegram: [words.telegramLabel, { inputmode: 'numeric', autocomplete: 'off' }, words.telegramHint],
    username: [words.usernameLabel, { autocomplete: 'username' }, undefined],
  } as const;
  const [label, more, hint] = fields[way];
  const children = [fieldOf(label, { name: way, value: typed, ...more }, hint)];
  if (byPassword) {
    const given = { name: 'password', type: 'password', autocomplete: 'current-password' };
    children.push(fieldOf(words.passwordLabel, given));
  }
  return formOf(
    { action: byPassword ? words.signIn : words.send, required: words.required },
    (form) => submit(textOf(form, way).trim(), textOf(form, 'password')),
    ...children,
  );
}

function textOf(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === 'string' ? value : '';
}

export interface CodeView {
  words: ElementWords;
  sent: VerificationSent;
  submit(code: string): Promise<void>;
  resend(): void;
  back(): void;
}

/** The code, with where it went. */
export function codeView({ words, sent, submit, resend, back }: CodeView, alert: HTMLElement): Node[] {
  const { channel, destination, code_length: length } = sent;
  const sentence =
    channel === 'email' ? words.byEmail : channel === 'telegram' ? words.byTelegram : words.bySms;
  const [before = '', after = ''] = sentence.split('{destination}');
  const place = make('bdi', { dir: 'ltr' }, destination);
  const field = fieldOf(words.codeLabel, {
    name: 'code',
    class: 'code',
    inputmode: 'numeric',
    autocomplete: 'one-time-code',
    maxlength: 32,
  });
  const form = formOf(
    { action: words.confirm, required: words.required },
    (fields) => submit(textOf(fields, 'code')),
    field,
  );
  let last = '';
  field.querySelector('input')?.addEventListener('input', ({ target }) => {
    const { value } = target as HTMLInputElement;
    // Sent by itself when it is whole, and not twice the same.
    if (length === 0 || value.replace(/\s/g, '').length !== length || value === last) return;
    last = value;
    form.requestSubmit();
  });
  const again = linkOf(words.resend, resend);
  again.dataset['resend'] = '';
  return [
    leadOf(words.codeTitle, undefined, make('p', { class: 'soft', part: 'lead' }, before, place, after)),
    alert,
    form,
    choicesOf(again, linkOf(words.another, back)),
    make('p', { class: 'spoken', role: 'status' }),
  ];
}

/** The link into Telegram and the number to choose there. */
export function linkView(
  { words, link, back }: { words: ElementWords; link: TelegramLink; back(): void },
  alert: HTMLElement,
): Node[] {
  const opens = { href: link.url, target: '_blank', rel: 'noopener noreferrer' };
  return [
    leadOf(words.linkTitle, words.number),
    alert,
    make('p', { class: 'number', part: 'number' }, link.match_number),
    make('a', { class: 'button', part: 'button', ...opens }, words.open),
    make('p', { class: 'hint', role: 'status', 'data-state': '' }, words.waiting),
    choicesOf(linkOf(words.another, back)),
  ];
}
