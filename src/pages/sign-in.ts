import type { FastifyReply } from 'fastify';
import { login } from '../signin/login.ts';
import { readProfile } from '../signin/profile.ts';
import { sendVerification } from '../signin/send-verification.ts';
import { html, type Html } from '../web/html.ts';
import {
  addressField,
  codeWays,
  passwordWays,
  readAddress,
  typedWays,
  type Way,
  wayOf,
  waysMenu,
} from './address-field.ts';
import { beginFlow, beginWaiting, findBegun, toVerify } from './begin-flow.ts';
import { challengeField } from './challenge.ts';
import { fieldOf, formOf, leadOf, nextLink, problemBox, submitOf } from './components.ts';
import { type Fields, textOf } from './context.ts';
import { finishSignIn } from './finish.ts';
import { sendPage } from './layout.ts';
import { fieldProblems, type Problem, problemOf } from './problems.ts';
import { addressAfter, outsideOf, readReturnAddress } from './return-address.ts';
import { personName } from './person.ts';
import { hasTelegramLink, telegramButton } from './telegram.ts';
import { telegramLoginButton, telegramLoginLeadsTo } from './telegram-login-button.ts';
import { tellBadReturn } from './tell.ts';
import { accessOf, pathTo, type Visit } from './visit.ts';
import { fill, fillHtml } from './words.ts';

interface Choice {
  way: Way | undefined;
  ways: readonly Way[];
  byPassword: boolean;
  returnTo: string | undefined;
}

function choiceOf(visit: Visit, fields: Fields, returnTo: string | undefined): Choice {
  const { passwords } = visit.site.tenant.policy;
  const open = codeWays(visit);
  const byPassword = passwords.enabled && (textOf(fields, 'by') === 'password' || open.length === 0);
  const ways = byPassword ? passwordWays(visit) : open;
  return { way: wayOf(ways, textOf(fields, 'with')), ways, byPassword, returnTo };
}

/** GET /sign-in */
export async function showSignIn(visit: Visit, problem?: Problem): Promise<FastifyReply> {
  const back = readReturnAddress(visit);
  if (!back.ok) return tellBadReturn(visit);
  const fields = problem ? visit.form : visit.query;
  const access = problem || 'another' in visit.query ? undefined : await accessOf(visit);
  if (access) {
    const profile = await readProfile(visit.context.signIn, access);
    if (profile.ok) return showSignedIn(visit, personName(profile.user), back.returnTo);
  }
  const choice = choiceOf(visit, fields, back.returnTo);
  const { words, site } = visit;
  const { way, byPassword } = choice;
  const title = fill(byPassword ? words.byPassword.title : words.signIn.title, { tenant: site.tenant.name });
  const isOpen = site.tenant.policy.registration === 'open';
  const byCode = isOpen ? words.signIn.lead : words.signIn.leadClosed;
  // Where no bot brings codes, the way to Telegram stands beside all others.
  const isTelegram = !byPassword && (way === 'telegram' || !choice.ways.includes('telegram'));
  const byLink = way === 'telegram' && hasTelegramLink(visit);
  const lead = byPassword ? words.byPassword.lead : byLink ? words.telegram.lead : byCode;
  const body = html`<div class="stack">${leadOf(title, lead)}${problemBox(problem)}${
    way === undefined
      ? html`<p>${words.problems.channelUnavailable}</p>`
      : signInForm(visit, choice, way, problem)
  }${isTelegram && telegramLoginButton(visit, back.returnTo)}${otherChoices(visit, choice)}</div>`;
  return sendPage(visit, {
    title,
    body,
    leadsTo: [outsideOf(back.returnTo), telegramLoginLeadsTo(visit)],
    ...(problem ? { status: problem.status, captcha: problem.work?.captcha } : {}),
  });
}

function signInForm(visit: Visit, choice: Choice, way: Way, problem: Problem | undefined): Html {
  const { words } = visit;
  const { byPassword, returnTo } = choice;
  const fields = problem ? visit.form : visit.query;
  const by = byPassword ? 'password' : undefined;
  const hrefOf = (other: Way): string =>
    pathTo(visit, '/sign-in', { with: other, by, return_to: returnTo, another: anotherOf(visit) });
  const password =
    byPassword &&
    fieldOf(visit, {
      name: 'password',
      label: words.fields.password,
      type: 'password',
      autocomplete: 'current-password',
      required: true,
      problem,
    });
  const form = formOf(
    visit,
    pathTo(visit, '/sign-in'),
    { with: way, by, return_to: returnTo },
    html`${addressField(visit, way, fields, problem)}${password}${challengeField(visit, problem?.work)}${submitOf(byPassword ? words.byPassword.action : words.signIn.action)}`,
  );
  const menu = waysMenu(visit, choice.ways, way, hrefOf);
  if (way !== 'telegram' || !hasTelegramLink(visit)) return html`${menu}${form}`;
  // Nothing to type is the better way; the number is for those who have it at hand.
  const isTyped = problem !== undefined || textOf(fields, 'telegram') !== '';
  return html`${menu}${telegramButton(visit, returnTo)}<details class="fold"${isTyped && html` open`}><summary>${words.telegram.typeId}</summary>${form}</details>`;
}

function otherChoices(visit: Visit, { way, byPassword, returnTo }: Choice): Html | null {
  const { words, site } = visit;
  const { policy } = site.tenant;
  const kept = {
    with: way === 'telegram' || way === 'username' ? undefined : way,
    return_to: returnTo,
    another: anotherOf(visit),
  };
  // A link to a page that could send nothing is none.
  const canType = typedWays(visit).length > 0;
  const links = [
    byPassword && canType && html`<a href="${pathTo(visit, '/forgot', kept)}">${words.byPassword.forgot}</a>`,
    byPassword &&
      codeWays(visit).length > 0 &&
      html`<a href="${pathTo(visit, '/sign-in', kept)}">${words.byPassword.useCode}</a>`,
    !byPassword &&
      policy.passwords.enabled &&
      html`<a href="${pathTo(visit, '/sign-in', { ...kept, by: 'password' })}">${words.byPassword.usePassword}</a>`,
    policy.registration === 'open' &&
      canType &&
      html`<span>${words.signIn.newHere} <a href="${pathTo(visit, '/sign-up', kept)}">${words.signIn.create}</a></span>`,
  ].filter((link) => link !== false);
  return links.length === 0 ? null : html`<div class="choices">${links}</div>`;
}

function showSignedIn(visit: Visit, who: string, returnTo: string | undefined): Promise<FastifyReply> {
  const { words } = visit;
  const text = fillHtml(words.already.text, { who: html`<bdi class="strong whole">${who}</bdi>` });
  const goOn = html`<span>${fillHtml(words.already.continue, { who: html`<bdi class="whole">${who}</bdi>` })}</span>`;
  const body = html`<div class="stack">${leadOf(words.already.title, text)}<div class="stack-close">${nextLink(addressAfter(visit, returnTo), goOn)}<a class="button plain full" href="${pathTo(visit, '/sign-in', { another: '1', return_to: returnTo })}">${words.already.other}</a></div></div>`;
  return sendPage(visit, { title: words.already.title, body });
}

/** POST /sign-in: sends a code, or compares the password. */
export async function takeSignIn(visit: Visit): Promise<FastifyReply> {
  const back = readReturnAddress(visit);
  if (!back.ok) return tellBadReturn(visit);
  const { context, form, site, locale, clues } = visit;
  const { way, byPassword, returnTo } = choiceOf(visit, form, back.returnTo);
  if (way === undefined) return showSignIn(visit);
  const read = readAddress(site.tenant, way, form);
  if (!read.ok) return showSignIn(visit, fieldProblems(visit, read.fields));
  const { address } = read;

  if (byPassword) {
    const password = textOf(form, 'password');
    if (password === '') return showSignIn(visit, fieldProblems(visit, { password: 'required' }));
    const device = { kind: 'browser' };
    const outcome = await login(
      context.signIn,
      { ...address, password, locale, device, style: 'opaque' },
      clues,
    );
    if (outcome.ok) return finishSignIn(visit, outcome, returnTo);
    // Its code is on its way. Where answers are uniform they never say so, and the form stays (S22).
    const begun = { purpose: 'register' as const, address, returnTo };
    const waiting =
      outcome.error === 'ACCOUNT_NOT_VERIFIED' ? beginWaiting(visit, begun, outcome.details) : undefined;
    if (waiting) return waiting;
    return showSignIn(visit, problemOf(visit, outcome));
  }

  const begun = { purpose: 'sign_in' as const, address, returnTo };
  const outcome = await sendVerification(context.signIn, { ...address, locale }, clues);
  if (outcome.ok) return beginFlow(visit, outcome, begun);
  // Back, and the same form again: the code of a moment ago still waits on its page.
  const waiting = outcome.error === 'RESEND_TOO_SOON' ? findBegun(visit, begun) : undefined;
  return waiting ? toVerify(visit, waiting.id) : showSignIn(visit, problemOf(visit, outcome));
}

/** Whoever signs in anew although somebody is signed in stays at it while they choose how. */
function anotherOf({ query }: Visit): string | undefined {
  return 'another' in query ? '1' : undefined;
}
