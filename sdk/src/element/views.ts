import type { TelegramLink } from './calls.ts';
import { addressView, forgotView, newPasswordField, signUpView } from './address-views.ts';
import { make } from './dom.ts';
import { choicesOf, fieldOf, formOf, leadOf, linkOf, textOf } from './parts.ts';
import type { CodeScreen, Screen, Stage } from './screens.ts';
import { secondProofView } from './second-proof-view.ts';
import { resend, setPassword, verify } from './steps.ts';

/** What is seen of a screen; undefined where there is nothing but to try again. @param alert where refusals are told */
export function viewOf(screen: Screen, stage: Stage, alert: HTMLElement): Node[] | undefined {
  switch (screen.at) {
    case 'address':
      return addressView(stage, screen, alert);
    case 'sign-up':
      return signUpView(stage, screen, alert);
    case 'forgot':
      return forgotView(stage, screen, alert);
    case 'code':
      return codeView(stage, screen, alert);
    case 'second-proof':
      return secondProofView(stage, screen, alert);
    case 'reset':
      return resetView(stage, screen, alert);
    case 'link':
      return linkView(stage, screen.link, alert);
    case 'done':
      return [make('p', { part: 'done', role: 'status' }, stage.words.done)];
    case 'loading':
    case 'away':
      return undefined;
  }
}

/** The code, with where it went. */
function codeView(stage: Stage, screen: CodeScreen, alert: HTMLElement): Node[] {
  const { words } = stage;
  const { channel, destination, code_length: length } = screen.sent;
  const sentence =
    channel === 'email' ? words.byEmail : channel === 'telegram' ? words.byTelegram : words.bySms;
  const [before = '', after = ''] = sentence.split('{destination}');
  const place = make('bdi', { dir: 'ltr' }, destination);
  const field = fieldOf(
    { name: 'code', label: words.codeLabel },
    { class: 'code', inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: 32 },
  );
  const form = formOf(
    { action: words.confirm, required: words.required },
    (fields) => stage.go((calls) => verify(calls, screen, textOf(fields, 'code'))),
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
  const again = linkOf(words.resend, () => stage.go((calls) => resend(calls, screen)));
  again.dataset['resend'] = '';
  const back =
    screen.from.at === 'address'
      ? linkOf(words.another, () => stage.start())
      : linkOf(words.change, () => stage.show(screen.from));
  return [
    leadOf(words.codeTitle, undefined, make('p', { class: 'soft', part: 'lead' }, before, place, after)),
    alert,
    form,
    choicesOf(again, back),
    make('p', { class: 'spoken', role: 'status' }),
  ];
}

/** A new password, for whoever has proved the address. */
function resetView(
  stage: Stage,
  { token, after }: Extract<Screen, { at: 'reset' }>,
  alert: HTMLElement,
): Node[] {
  const { words } = stage;
  return [
    after ? leadOf(words.setPasswordTitle, words.setPasswordLead) : leadOf(words.resetTitle, words.resetLead),
    alert,
    formOf(
      { action: after ? words.save : words.resetAction, required: words.required },
      (form) => stage.go((calls) => setPassword(calls, token, textOf(form, 'password'), after)),
      newPasswordField(stage, words.newPassword),
    ),
    ...(after ? [choicesOf(linkOf(words.later, () => stage.show({ at: 'done', signedIn: after })))] : []),
  ];
}

/** The link into Telegram and the number to choose there. */
function linkView({ words, start }: Stage, link: TelegramLink, alert: HTMLElement): Node[] {
  const opens = { href: link.url, target: '_blank', rel: 'noopener noreferrer' };
  return [
    leadOf(words.linkTitle, words.number),
    alert,
    make('p', { class: 'number', part: 'number' }, link.match_number),
    make('a', { class: 'button', part: 'button', ...opens }, words.open),
    make('p', { class: 'hint', role: 'status', 'data-state': '' }, words.waiting),
    choicesOf(linkOf(words.another, start)),
  ];
}
