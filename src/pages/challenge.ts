import { durationIn } from '../kernel/duration.ts';
import type { ChallengePut, ErrorDetails, Refused } from '../kernel/errors.ts';
import type { RequestClues } from '../signin/context.ts';
import { html, type Html } from '../web/html.ts';
import { publishScript } from './assets.ts';
import { captchaBox, readCaptcha } from './captcha.ts';
import { type Fields, textOf } from './context.ts';
import type { Visit } from './visit.ts';
import { fill } from './words.ts';

const scriptPath = publishScript('challenge');

/** Work that a form has to bring before it is taken. */
export interface WorkAsked extends ChallengePut {
  /** Seconds after which it is taken without. */
  wait: number;
  /** This form has brought some already: it is not sent again by itself. */
  isAgain: boolean;
  /** A password was typed, which is to be typed again. */
  isRetyped: boolean;
}

/** The work that a refusal asks for, if it does. */
export function workOf(form: Fields, { error, details }: Refused): WorkAsked | undefined {
  const asks = error === 'PROOF_OF_WORK_REQUIRED' || error === 'ACCOUNT_NOT_VERIFIED';
  return asks ? askedBy(form, details) : undefined;
}

function askedBy(form: Fields, details: ErrorDetails): WorkAsked | undefined {
  const { challenge, captcha, retry_after: retryAfter, resend_in: resendIn } = details;
  if (challenge === undefined) return undefined;
  const isAgain = textOf(form, 'challenge_solution') !== '';
  const isRetyped = textOf(form, 'password') !== '';
  const wait = retryAfter ?? resendIn ?? 0;
  return { challenge, ...(captcha ? { captcha } : {}), wait, isAgain, isRetyped };
}

/**
 * Where a form that sends codes brings the work that was asked of it: a script does it and sends the form again, and
 * who has none is told how long to wait. Nothing, as long as nothing is asked.
 */
export function challengeField(visit: Visit, work: WorkAsked | undefined): Html | null {
  if (!work) return null;
  const { words, locale } = visit;
  const { challenge, captcha, wait, isAgain, isRetyped } = work;
  const { label, working, done, needsScript } = words.challenge;
  const later = wait > 0 ? fill(words.tryIn, { time: durationIn(locale, wait) }) : '';
  const sends = !isAgain && !isRetyped && captcha === undefined;
  return html`<div class="notice" data-challenge="${JSON.stringify(challenge)}"${sends && html` data-sends`} data-done="${done}" data-later="${later}"><p>${label}</p><p class="small" role="status" data-state="${working}"></p><noscript><p class="small">${needsScript} ${later}</p></noscript><input type="hidden" name="challenge_solution" value=""></div>${captcha && captchaBox(captcha)}<script src="${scriptPath}" defer></script>`;
}

/** What a form brings, as the use cases take it. */
export function readWork(form: Fields): RequestClues['challengeAnswer'] {
  const solution = textOf(form, 'challenge_solution');
  return solution === '' ? undefined : { solution, captcha: readCaptcha(form) };
}
