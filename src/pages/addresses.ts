import type { FastifyReply } from 'fastify';
import { formatPhone } from '../kernel/phone-countries.ts';
import type { Refused } from '../kernel/errors.ts';
import type { Access } from '../sessions/sessions.ts';
import { linkIdentity } from '../signin/link-identity.ts';
import { readProfile } from '../signin/profile.ts';
import { unlinkIdentity } from '../signin/unlink-identity.ts';
import type { PublicUser } from '../users/users.ts';
import { html, type Html } from '../web/html.ts';
import { addressField, readAddress, typedWays, type Way, wayOf, waysMenu } from './address-field.ts';
import { beginFlow, findBegun, toVerify } from './begin-flow.ts';
import { challengeField } from './challenge.ts';
import { addressText, formOf, problemBox, submitOf } from './components.ts';
import { textOf } from './context.ts';
import { sendPage } from './layout.ts';
import { fieldProblems, type OtherNames, type Problem, problemOf, waitOf } from './problems.ts';
import { askProof } from './prove.ts';
import { beginTelegramLink, hasTelegramLink } from './telegram.ts';
import { goTo, leaveNotice, pathTo, type Visit } from './visit.ts';
import { fillHtml } from './words.ts';

type Identity = PublicUser['identities'][number];

/** What a refusal means to somebody who is signed in. Where there is nothing to wait for, the account is full. */
function meant(refused: Refused): OtherNames {
  return {
    ALREADY_REGISTERED: 'addressTaken',
    ...(waitOf(refused) === undefined ? { RATE_LIMITED: 'tooManyAddresses' } : {}),
  };
}

function shownOf({ kind, value }: Identity): Html {
  return addressText(kind === 'phone' ? formatPhone(value) : value, 'strong');
}

/** The ways by which an address can be added: each proves itself. */
function addWays(visit: Visit): Way[] {
  const ways = typedWays(visit);
  return hasTelegramLink(visit) ? [...ways, 'telegram'] : ways;
}

/** The addresses of the account, with what may be done with each. */
export function addressList(visit: Visit, user: PublicUser): Html {
  const { words } = visit;
  const provedCount = user.identities.filter(({ is_verified: isVerified }) => isVerified).length;
  const ways = addWays(visit);
  const entries = user.identities.map((identity) => {
    const { kind, is_verified: isVerified } = identity;
    const name =
      kind === 'phone' ? words.ways.phone : kind === 'email' ? words.ways.email : words.ways.telegram;
    const badge = isVerified
      ? html`<span class="badge">${words.account.verified}</span>`
      : html`<span class="small soft">${words.account.notVerified}</span>`;
    const isOnlyOne = isVerified && provedCount === 1;
    const change =
      kind !== 'telegram' &&
      ways.includes(kind as Way) &&
      html`<a href="${pathTo(visit, '/account/add', { with: kind, replaces: identity.id })}">${words.account.change}<span class="spoken"> ${shownOf(identity)}</span></a>`;
    return html`<li><div class="entry"><span class="row small"><span class="soft">${name}</span>${badge}</span>${shownOf(identity)}</div><div class="acts">${change}${!isOnlyOne && removeFold(visit, identity)}</div></li>`;
  });
  const add =
    ways.length > 0 &&
    html`<div class="row"><a class="button plain" href="${pathTo(visit, '/account/add')}">${words.account.addTitle}</a></div>`;
  return html`<ul class="entries">${entries}</ul>${add}`;
}

function removeFold(visit: Visit, identity: Identity): Html {
  const { words } = visit;
  const address = shownOf(identity);
  const form = formOf(
    visit,
    pathTo(visit, '/account/remove'),
    { identity: identity.id },
    html`<p class="small">${fillHtml(words.account.removeTitle, { address })} ${words.account.removeText}</p><div class="row"><button class="button danger small" type="submit">${words.account.remove}</button></div>`,
    'stack-close',
  );
  return html`<details class="fold"><summary>${words.account.remove}<span class="spoken"> ${address}</span></summary>${form}</details>`;
}

/** GET /account/add */
export async function showAdd(visit: Visit, access: Access, problem?: Problem): Promise<FastifyReply> {
  const { words, context } = visit;
  const fields = problem ? visit.form : visit.query;
  const replaces = textOf(fields, 'replaces') || undefined;
  const profile = await readProfile(context.signIn, access);
  const replaced = profile.ok ? profile.user.identities.find(({ id }) => id === replaces) : undefined;
  const ways = replaced ? [replaced.kind as Way] : addWays(visit);
  const way = wayOf(ways, textOf(fields, 'with'));
  if (way === undefined) return goTo(visit, pathTo(visit, '/account'));
  const title = replaced
    ? fillHtml(words.account.changeTitle, { address: shownOf(replaced) })
    : words.account.addTitle;
  const isLink = way === 'telegram';
  const form = formOf(
    visit,
    pathTo(visit, '/account/add'),
    { with: way, replaces: replaced?.id },
    isLink
      ? submitOf(words.telegram.begin)
      : html`${addressField(visit, way, fields, problem)}${challengeField(visit, problem?.work)}${submitOf(words.signIn.action)}`,
  );
  const lead = isLink ? words.telegram.lead : words.account.addLead;
  const menu = waysMenu(visit, ways, way, (other) => pathTo(visit, '/account/add', { with: other }));
  const body = html`<div class="stack"><div class="lead"><h1>${title}</h1><p class="soft">${lead}</p></div>${problemBox(problem)}${menu}${form}<div class="choices"><a href="${pathTo(visit, '/account')}">${words.backToAccount}</a></div></div>`;
  return sendPage(visit, {
    title: words.account.addTitle,
    body,
    ...(problem ? { status: problem.status } : {}),
  });
}

/** POST /account/add: sends a code to the new address, or begins a link into Telegram. */
export async function takeAdd(visit: Visit, access: Access): Promise<FastifyReply> {
  const { form, context, clues, locale } = visit;
  const replaces = textOf(form, 'replaces') || undefined;
  const way = wayOf(addWays(visit), textOf(form, 'with'));
  if (way === undefined) return goTo(visit, pathTo(visit, '/account'));
  const intent = (address: Record<string, string>) => ({
    action: 'add_address' as const,
    form: { with: way, ...address, ...(replaces === undefined ? {} : { replaces }) },
  });
  if (way === 'telegram') {
    const begun = await beginTelegramLink(visit, access, undefined);
    if (!('ok' in begun)) return begun.goes;
    if (begun.error === 'STEP_UP_REQUIRED') return askProof(visit, access, begun, intent({}));
    return showAdd(visit, access, problemOf(visit, begun, meant(begun)));
  }
  const read = readAddress(access.tenant, way, form);
  if (!read.ok) return showAdd(visit, access, fieldProblems(visit, read.fields));
  const { phone, email } = read.address;
  const address = { ...(phone === undefined ? {} : { phone }), ...(email === undefined ? {} : { email }) };
  const input = { ...address, locale, ...(replaces === undefined ? {} : { replaces }) };
  const begun = { purpose: 'link' as const, address, returnTo: undefined };
  const outcome = await linkIdentity(context.signIn, access, input, clues);
  if (outcome.ok) return beginFlow(visit, outcome, { ...begun, isReplacement: replaces !== undefined });
  if (outcome.error === 'STEP_UP_REQUIRED') return askProof(visit, access, outcome, intent(address));
  const waiting = outcome.error === 'RESEND_TOO_SOON' ? findBegun(visit, begun) : undefined;
  return waiting
    ? toVerify(visit, waiting.id)
    : showAdd(visit, access, problemOf(visit, outcome, meant(outcome)));
}

/** POST /account/remove */
export async function takeRemove(visit: Visit, access: Access): Promise<FastifyReply> {
  const { form, context, clues } = visit;
  const identity = textOf(form, 'identity');
  const outcome = await unlinkIdentity(context.signIn, access, identity, clues);
  if (!outcome.ok && outcome.error === 'STEP_UP_REQUIRED') {
    return askProof(visit, access, outcome, { action: 'remove_address', form: { identity } });
  }
  // What is gone already needs no word: the list shows it.
  leaveNotice(visit, outcome.ok ? 'removed' : outcome.error === 'LAST_IDENTITY' ? 'last' : 'saved');
  return goTo(visit, pathTo(visit, '/account'));
}
