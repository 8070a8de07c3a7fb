import type { FastifyReply } from 'fastify';
import { durationIn } from '../kernel/duration.ts';
import type { Refused } from '../kernel/errors.ts';
import { resendOtp } from '../signin/resend-otp.ts';
import { finishVerification } from '../signin/finish-verification.ts';
import { verifyCode } from '../signin/verify-code.ts';
import { html, type Html } from '../web/html.ts';
import { below, describedBy, formOf, labelOf, noticeBox } from './components.ts';
import { textOf, trimmedOf } from './context.ts';
import { putChallenge } from '../signin/prove-work.ts';
import { challengeField, type WorkAsked, workOf } from './challenge.ts';
import { toVerify } from './begin-flow.ts';
import { finishSignIn, withoutProblem } from './finish.ts';
import { dropFlow, findFlow, type Flow, keepFlow, type NamedFlow } from './flow.ts';
import { sendPage } from './layout.ts';
import { type OtherNames, type Problem, problemName, problemText, waitOf } from './problems.ts';
import { makeChange } from './proved.ts';
import { outsideOf } from './return-address.ts';
import { cluesFor } from './site.ts';
import { otherChannels, readTravel, travelView } from './travel.ts';
import { toSecondProof } from './second-proof.ts';
import { tell } from './tell.ts';
import { accessOf, goTo, leaveNotice, pathTo, takeNotice, type Visit } from './visit.ts';
import { clockIn, counted, fill, fillHtml } from './words.ts';

/** Problems that concern the code; others stand above the form. */
const OF_THE_FIELD: readonly string[] = [
  'invalidCode',
  'checkFields',
  'codeExpired',
  'verificationGone',
  'tooManyAttempts',
];

/** GET /verify */
export async function showVerify(visit: Visit, problem?: Problem): Promise<FastifyReply> {
  const found = findFlow(visit);
  if (!found) {
    // Back from where the code led to: whoever is signed in need not prove it again.
    if (await accessOf(visit)) return goTo(visit, pathTo(visit, '/sign-in'));
    return tell(visit, 404, visit.words.verify.nothing);
  }
  const { flow } = found;
  const { words } = visit;
  const notice = takeNotice(visit);
  const work = await workAsked(visit, flow);
  const last =
    flow.problem && !work ? problemText(visit, flow.problem.name, flow.problem.seconds) : undefined;
  const told = problem?.notice ?? last;
  const isField =
    problem === undefined && flow.problem !== undefined && OF_THE_FIELD.includes(flow.problem.name);
  const destination = html`<bdi class="strong whole" dir="ltr">${flow.destination}</bdi>`;
  const status = await readTravel(visit, found);
  const isLive = status.ok && status.verificationState === 'live';
  // Where it was not delivered it has gone on by another.
  const channel = isLive ? status.channel : flow.channel;
  const isKnown = channel === 'email' || channel === 'telegram' || channel === 'voice';
  const sentence = words.verify[isKnown ? channel : 'sms'];
  const body = html`<div class="stack">
<div class="lead"><h1>${words.verify.title}</h1><p class="soft">${fillHtml(sentence, { destination })} <a href="${startPath(visit, flow)}">${words.verify.change}</a></p></div>
${notice === 'resent' && noticeBox(words.verify.resent)}
${told !== undefined && !isField && html`<div class="notice bad" role="alert"><p>${told}</p></div>`}
${codeForm(visit, found, isLive, isField ? told : undefined)}
${travelView(visit, found, status)}
${otherWays(visit, found, channel, isLive, work)}
<p class="spoken" role="status" data-live></p>
</div>`;
  return sendPage(visit, {
    title: words.verify.title,
    body,
    leadsTo: outsideOf(flow.returnTo),
    captcha: work?.captcha,
    ...(problem ? { status: problem.status } : {}),
  });
}

/** @param isLive false: no code of this flow opens anything any more, and the page says nothing else */
function codeForm(visit: Visit, { id, flow }: NamedFlow, isLive: boolean, wrong: string | undefined): Html {
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

/** The work that the last press of "send again" was asked for: put anew for each showing of the page. */
async function workAsked({ context, clues }: Visit, { problem }: Flow): Promise<WorkAsked | undefined> {
  if (problem?.work === undefined) return undefined;
  const put = await putChallenge(context.signIn, clues);
  return { ...put, wait: problem.seconds ?? 0, isAgain: problem.work === 'again', isRetyped: false };
}

function otherWays(
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
function startPath(visit: Visit, flow: Flow): string {
  if (flow.purpose === 'step_up') return pathTo(visit, '/prove', { flow: flow.proving });
  const path = { sign_in: '/sign-in', register: '/sign-up', recover: '/forgot', link: '/account/add' }[
    flow.purpose
  ];
  return pathTo(visit, path, { with: flow.kind, return_to: flow.returnTo });
}

/** POST /verify. Whatever it ends with is told by the page itself, so that a reload never spends an attempt. */
export async function takeCode(visit: Visit): Promise<FastifyReply> {
  const found = findFlow(visit);
  if (!found) return tell(visit, 404, visit.words.verify.nothing);
  const { id, flow } = found;
  const { context } = visit;
  if (flow.purpose === 'link' || flow.purpose === 'step_up') return takeOwnCode(visit, found);
  const outcome = await verifyCode(
    context.signIn,
    {
      code: textOf(visit.form, 'code').slice(0, 32),
      verification_id: flow.handle,
      device: { kind: 'browser' },
      style: 'opaque',
    },
    cluesFor(visit.site, visit.clues, flow.tenant),
  );
  if (!outcome.ok) return refused(visit, found, outcome);
  if (!('resetToken' in outcome)) return finishSignIn(visit, outcome, flow.returnTo, found);
  keepFlow(visit, { ...withoutProblem(flow), resetToken: outcome.resetToken }, id);
  return goTo(visit, pathTo(visit, '/reset', { flow: id }));
}

/** A code that somebody signed in asked for: for an address to add, or to prove once more who they are. */
async function takeOwnCode(visit: Visit, found: NamedFlow): Promise<FastifyReply> {
  const access = await accessOf(visit);
  if (!access) return goTo(visit, pathTo(visit, '/sign-in', { return_to: '/account' }));
  const { id, flow } = found;
  const outcome = await finishVerification(
    visit.context.signIn,
    access,
    { verificationId: flow.handle, code: textOf(visit.form, 'code').slice(0, 32) },
    visit.clues,
  );
  if (!outcome.ok) {
    return refused(
      visit,
      found,
      outcome,
      flow.purpose === 'link' ? { ALREADY_REGISTERED: 'addressTaken' } : {},
    );
  }
  dropFlow(visit, id);
  if (flow.proving !== undefined) return makeChange(visit, access, flow.proving);
  leaveNotice(visit, flow.isReplacement ? 'changed' : 'added');
  return goTo(visit, pathTo(visit, '/account'));
}

/** POST /verify/resend */
export async function takeResend(visit: Visit): Promise<FastifyReply> {
  const found = findFlow(visit);
  if (!found) return tell(visit, 404, visit.words.verify.nothing);
  const { id, flow } = found;
  const now = visit.context.clock.now().getTime();
  const channel = trimmedOf(visit.form, 'channel')?.slice(0, 20);
  const outcome = await resendOtp(
    visit.context.signIn,
    {
      verification_id: flow.handle,
      locale: visit.locale,
      ...(channel === undefined ? {} : { channel }),
    },
    cluesFor(visit.site, visit.clues, flow.tenant),
  );
  if (!outcome.ok) return refused(visit, found, outcome);
  leaveNotice(visit, 'resent');
  keepFlow(
    visit,
    {
      ...withoutProblem(flow),
      handle: outcome.verificationId ?? flow.handle,
      channel: outcome.channel,
      destination: outcome.destination,
      codeLength: outcome.codeLength,
      expiresAt: now + outcome.expiresIn * 1000,
      resendAt: now + outcome.resendIn * 1000,
      attemptsLeft: outcome.attemptsLeft,
    },
    id,
  );
  return toVerify(visit, id);
}

function refused(
  visit: Visit,
  { id, flow }: NamedFlow,
  refusal: Refused,
  others: OtherNames = {},
): FastifyReply {
  if (refusal.error === 'SECOND_PROOF_REQUIRED') return toSecondProof(visit, { id, flow }, refusal);
  const seconds = waitOf(refusal);
  // The last wrong one ends the code: to check it and try again would be in vain.
  const isLast = refusal.error === 'INVALID_CODE' && refusal.details.attempts_left === 0;
  const work = workOf(visit.form, refusal);
  const now = visit.context.clock.now().getTime();
  keepFlow(
    visit,
    {
      ...flow,
      problem: {
        name: isLast ? 'tooManyAttempts' : problemName(refusal, others),
        ...(seconds === undefined ? {} : { seconds }),
        ...(work === undefined ? {} : { work: work.isAgain ? ('again' as const) : ('asked' as const) }),
      },
      attemptsLeft: refusal.details.attempts_left ?? flow.attemptsLeft,
      ...(refusal.error === 'RESEND_TOO_SOON' && seconds !== undefined
        ? { resendAt: now + seconds * 1000 }
        : {}),
    },
    id,
  );
  return toVerify(visit, id);
}

function secondsUntil(visit: Visit, moment: number): number {
  return Math.max(0, Math.ceil((moment - visit.context.clock.now().getTime()) / 1000));
}
