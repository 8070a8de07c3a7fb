import type { ProofWay } from '../answers.ts';
import { make } from './dom.ts';
import { buttonOf, choicesOf, formOf, leadOf, linkOf, passwordFieldOf, textOf } from './parts.ts';
import type { SecondProofScreen, Stage } from './screens.ts';
import { proveAgain } from './steps.ts';

/** The account lay idle, and numbers are given to other people: one more way, or a new account. */
export function secondProofView(stage: Stage, screen: SecondProofScreen, alert: HTMLElement): Node[] {
  const { words } = stage;
  const another = choicesOf(linkOf(words.another, () => stage.start()));
  if (screen.token === undefined || screen.ways.length === 0) {
    const text = screen.from.at === 'forgot' ? words.secondProofForgotten : words.secondProofStuck;
    return [leadOf(words.secondProofStuckTitle, text), alert, another];
  }
  const prove = (way: ProofWay, password = ''): Promise<void> =>
    stage.go((calls) => proveAgain(stage, calls, screen, way, password));
  const choices = screen.ways.map((way) => {
    switch (way.method) {
      case 'password':
        return formOf(
          { action: words.withPassword, required: words.required },
          (form) => prove(way, textOf(form, 'password')),
          passwordFieldOf(words, { name: 'password', label: words.passwordLabel }, 'current-password'),
        );
      case 'new_account':
        return make(
          'div',
          { class: 'lead' },
          make('p', { class: 'soft', id: 'anew' }, words.anewText),
          buttonOf(words.anew, () => prove(way), { class: 'button plain', 'aria-describedby': 'anew' }),
        );
      case 'phone':
      case 'email':
      case 'telegram':
        return sendButton(stage, way, () => prove(way));
    }
  });
  return [leadOf(words.secondProofTitle, words.secondProofLead), alert, ...choices, another];
}

/** Addresses run from left to right in every language. */
function sendButton(
  { words }: Stage,
  { destination = '' }: ProofWay,
  press: () => Promise<void>,
): HTMLElement {
  const [before = '', after = ''] = words.sendTo.split('{destination}');
  const text = make('span', {}, before, make('bdi', { dir: 'ltr' }, destination), after);
  return buttonOf(text, press);
}
