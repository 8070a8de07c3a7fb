import type { FastifyReply } from 'fastify';
import type { Refused } from '../kernel/errors.ts';
import { resendOtp } from '../signin/resend-otp.ts';
import { finishVerification } from '../signin/finish-verification.ts';
import { verifyCode } from '../signin/verify-code.ts';
import { html } from '../web/html.ts';
import { codeChoices, codeForm, startPath } from './code-form.ts';
import { noticeBox } from './components.ts';
import { textOf, trimmedOf } from './context.ts';
import { putChallenge } from '../signin/prove-work.ts';
import { type WorkAsked, workOf } from './challenge.ts';
import { toVerify } from './begin-flow.ts';
import { finishSignIn, withoutProblem } from './finish.ts';
import { dropFlow, findFlow, type Flow, keepFlow, type NamedFlow } from './flow.ts';
import { sendPage } from './layout.ts';
import { type OtherNames, type Problem, problemName, problemText, waitOf } from './problems.ts';
import { makeChange } from './proved.ts';
import { outsideOf } from './return-address.ts';
import { cluesFor } from './site.ts';
import { readTravel, travelView } from './travel.ts';
import { toSecondProof } from './second-proof.ts';
import { tell } from './tell.ts';
import { accessOf, goTo, leaveNotice, pathTo, takeNotice, type Visit } from './visit.ts';
import { fillHtml } from './words.ts';

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
${codeChoices(visit, found, channel, isLive, work)}
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

/** The work that the last press of "send again" was asked for: put anew for each showing of the page. */
async function workAsked({ context, clues }: Visit, { problem }: Flow): Promise<WorkAsked | undefined> {
  if (problem?.work === undefined) return undefined;
  const put = await putChallenge(context.signIn, clues);
  return { ...put, wait: problem.seconds ?? 0, isAgain: problem.work === 'again', isRetyped: false };
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
