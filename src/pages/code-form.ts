import { durationIn } from '../kernel/duration.ts';
import { html, type Html } from '../web/html.ts';
import { challengeField, type WorkAsked } from './challenge.ts';
import { below, describedBy, formOf, labelOf } from './components.ts';
import { textOf } from './context.ts';
import type { Flow, NamedFlow } from './flow.ts';
import { otherChannels } from './travel.ts';
import { pathTo, type Visit } from './visit.ts';
import { clockIn, counted, fill, fillHtml } from './words.ts';

/**
 * Where the code is typed.
 * @param isLive false: no code of this flow opens anything any more, and the page says nothing else
 * @param wrong what is wrong with the code that was typed last
 */
export function codeForm(
  visit: Visit,
  { id, flow }: NamedFlow,
  isLive: boolean,
  wrong: string | undefined,
): Html {
  const { words, locale } = visit;
  const name = 'field-code';
  const left = secondsUntil(visit, flow.expiresAt);
  const lives = isLive && left > 0;
  const attempts =
    flow.attemptsLeft < 5 &&
    flow.attemptsLeft > 0 &&
    counted(locale, words.verify.attempts, flow.attemptsLeft);
  const hint =
    lives &&
    html`${attempts} <span data-life>${fill(words.verify.life, { time: durationIn(locale, left) })}<span class="hidden" data-seconds="${left}"></span></span>`;
  const field = html`<div class="field">${labelOf(visit, name, words.fields.code)}<div class="code slots-${flow.codeLength}"><input id="${name}" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]*" maxlength="32" value="${textOf(visit.form, 'code').slice(0, 32)}" data-digits="${flow.codeLength}" data-channel="${flow.channel}" required autofocus${describedBy(name, hint, wrong)}></div>${below(name, hint, wrong)}<p class="wrong"${(left > 0 || wrong !== undefined) && html` hidden`} data-expired>${words.problems.codeExpired}</p></div>`;
  return formOf(
    visit,
    pathTo(visit, '/verify'),
    { flow: id },
    html`${field}<button class="button full${!lives && html` plain`}" type="submit">${words.verify.action}</button>`,
  );
}

/**
 * What to do without the code: have it sent again, or by another channel, or go another way.
 * @param channel by which it goes now
 */
export function codeChoices(
  visit: Visit,
  { id, flow }: NamedFlow,
  channel: string,
  isLive: boolean,
  work: WorkAsked | undefined,
): Html {
  const { words, locale } = visit;
  const wait = secondsUntil(visit, flow.resendAt);
  // Without script the button works at once, and a press too soon is told how long to wait.
  const label =
    wait === 0
      ? words.verify.resend
      : fillHtml(words.verify.resendIn, {
          time: html`<span class="nowrap" data-seconds="${wait}">${clockIn(locale, wait)}</span>`,
        });
  const resend = formOf(
    visit,
    pathTo(visit, '/verify/resend'),
    { flow: id },
    html`${challengeField(visit, work)}<button class="${!isLive && wait === 0 ? 'button full' : 'link'}" type="submit" data-ready="${words.verify.resend}" data-announce="${words.verify.resendReady}">${label}</button>`,
    '',
  );
  return html`<div class="choices">${resend}${otherChannels(visit, { id, flow }, channel)}${channel === 'email' && isLive && html`<span class="soft">${words.verify.spam}</span>`}<a href="${otherPath(visit, flow)}">${words.verify.another}</a></div>`;
}

/** To another address of the same person, or another way to prove who they are. */
function otherPath(visit: Visit, flow: Flow): string {
  if (flow.purpose === 'step_up') return pathTo(visit, '/prove', { flow: flow.proving });
  if (flow.purpose === 'link') return pathTo(visit, '/account/add', { with: otherKind(flow.kind) });
  const path = flow.purpose === 'recover' ? '/forgot' : '/sign-in';
  return pathTo(visit, path, { return_to: flow.returnTo, with: otherKind(flow.kind) });
}

function otherKind(kind: Flow['kind']): string {
  return kind === 'phone' ? 'email' : 'phone';
}

/** Where this flow began, to correct the address. */
export function startPath(visit: Visit, flow: Flow): string {
  if (flow.purpose === 'step_up') return pathTo(visit, '/prove', { flow: flow.proving });
  const path = { sign_in: '/sign-in', register: '/sign-up', recover: '/forgot', link: '/account/add' }[
    flow.purpose
  ];
  return pathTo(visit, path, { with: flow.kind, return_to: flow.returnTo });
}

function secondsUntil(visit: Visit, moment: number): number {
  return Math.max(0, Math.ceil((moment - visit.context.clock.now().getTime()) / 1000));
}
