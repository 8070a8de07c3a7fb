import type { FastifyReply } from 'fastify';
import { durationIn } from '../kernel/duration.ts';
import type { Access } from '../sessions/sessions.ts';
import type { Refused } from '../kernel/errors.ts';
import { hasTelegramLink as hasLink } from '../signin/sign-in-ways.ts';
import { completeTelegramLink, readTelegramLink, startTelegramLink } from '../signin/telegram-link.ts';
import { html, type Html } from '../web/html.ts';
import { challengeField } from './challenge.ts';
import { formOf, leadOf, problemBox, submitOf, toldBody } from './components.ts';
import { textOf } from './context.ts';
import { finishSignIn } from './finish.ts';
import { sendPage } from './layout.ts';
import { type Problem, problemOf } from './problems.ts';
import { qrCode } from './qr-code.ts';
import { outsideOf, readReturnAddress } from './return-address.ts';
import { type Named, sealedCookies } from './sealed-cookies.ts';
import { tell, tellBadReturn } from './tell.ts';
import { accessOf, goTo, leaveNotice, pathTo, type Visit } from './visit.ts';
import { fill, type Told } from './words.ts';

/** A link into Telegram that waits, as the browser that began it keeps it. */
interface LinkFlow {
  /** The browser's secret of the link. */
  linkId: string;
  /** Opens the bot: Telegram's secret of it. */
  url: string;
  /** Somebody signed in adds the account to theirs. */
  isAddition: boolean;
  returnTo?: string;
}

const links = sealedCookies<LinkFlow>({ name: 'telegram', most: 3, lifeSeconds: 900 });

/** Seconds the server keeps a question waiting for something to happen, and a page without script waits. */
const WAIT_SECONDS = 20;
const RELOAD_SECONDS = 4;

/** Can people come to this tenant's bot? */
export function hasTelegramLink({ context, site }: Visit): boolean {
  return hasLink(context.signIn, site.tenant);
}

/** The one press that begins it, for the sign-in page and this one. */
export function telegramButton(visit: Visit, returnTo: string | undefined, problem?: Problem): Html {
  return formOf(
    visit,
    pathTo(visit, '/telegram'),
    { return_to: returnTo },
    html`${challengeField(visit, problem?.work)}${submitOf(visit.words.telegram.begin)}`,
  );
}

/** GET /telegram: how the link stands; without one, how to begin. */
export async function showTelegram(visit: Visit, problem?: Problem): Promise<FastifyReply> {
  const back = readReturnAddress(visit);
  if (!back.ok) return tellBadReturn(visit);
  const isNamed = textOf(visit.form, 'flow') !== '' || textOf(visit.query, 'flow') !== '';
  const found = isNamed ? links.find(visit) : undefined;
  if (!found) return showBeginning(visit, back.returnTo, problem, isNamed);
  const { words, context, clues } = visit;
  const told = await readTelegramLink(context.signIn, { linkId: found.flow.linkId }, clues);
  if (!told.ok) return showEnd(visit, found, 410, words.telegram.expired);
  switch (told.state) {
    case 'denied':
      return showEnd(visit, found, 403, words.telegram.denied);
    case 'completed':
      return showEnd(visit, found, 410, words.telegram.used);
    case 'expired':
      return showEnd(visit, found, 410, words.telegram.expired);
    case 'confirmed':
      return showConfirmed(visit, found);
    case 'waiting':
    case 'opened':
      return showWaiting(visit, found, told, problem);
  }
}

function showBeginning(
  visit: Visit,
  returnTo: string | undefined,
  problem: Problem | undefined,
  isGone: boolean,
): Promise<FastifyReply> {
  const { words } = visit;
  if (!hasTelegramLink(visit)) return tell(visit, 404, words.telegram.unavailable);
  const { title, lead, expired } = words.telegram;
  const body = html`<div class="stack">${isGone ? leadOf(expired.title, expired.text) : leadOf(title, lead)}${problemBox(problem)}${telegramButton(visit, returnTo, problem)}<div class="choices"><a href="${pathTo(visit, '/sign-in', { return_to: returnTo })}">${words.verify.another}</a></div></div>`;
  const status = problem?.status ?? (isGone ? 410 : 200);
  return sendPage(visit, {
    title: isGone ? expired.title : title,
    body,
    status,
    captcha: problem?.work?.captcha,
  });
}

function showWaiting(
  visit: Visit,
  { id, flow }: Named<LinkFlow>,
  told: { state: string; expiresIn: number; matchNumber: number; pollAfter: number },
  problem: Problem | undefined,
): Promise<FastifyReply> {
  const { words, locale } = visit;
  const texts = words.telegram;
  const title = flow.isAddition ? texts.linkTitle : texts.title;
  const state = told.state === 'opened' ? texts.opened : texts.waiting;
  const life = fill(texts.life, { time: durationIn(locale, told.expiresIn) });
  const waits = pathTo(visit, '/telegram/state', { flow: id });
  const body = html`<div class="stack" data-waits="${waits}" data-seen="${told.state}" data-pause="${told.pollAfter}">${leadOf(title, texts.lead)}${problemBox(problem)}
<div class="stack-close center"><p>${texts.number}</p><p class="number">${told.matchNumber}</p></div>
<a class="button full" href="${flow.url}" target="_blank" rel="noopener noreferrer">${texts.open}</a>
<p class="state" role="status" data-opened="${texts.opened}">${state}</p>
<noscript><p class="center"><a href="${pathTo(visit, '/telegram', { flow: id })}">${texts.refresh}</a></p></noscript>
<figure class="scan"><div class="qr">${qrCode(flow.url)}</div><figcaption class="small soft">${texts.scan} ${life}</figcaption></figure>
${simulatedHint(visit, flow)}
<div class="choices"><a href="${leaveTo(visit, flow)}">${flow.isAddition ? words.backToAccount : words.verify.another}</a></div></div>`;
  return sendPage(visit, { title, body, refresh: RELOAD_SECONDS, status: problem?.status ?? 200 });
}

/** In development there is no Telegram to open: the inbox plays the person in it. */
function simulatedHint({ context, site }: Visit, { url }: LinkFlow): Html | null {
  if (!context.isDevelopment || context.signIn.telegramSignIn.tokenOf(site.tenant.id) !== undefined)
    return null;
  const query = new URLSearchParams({
    to: '700100',
    tenant: site.tenant.slug,
    write: `/start ${new URL(url).searchParams.get('start') ?? ''}`,
  });
  return html`<p class="notice small" lang="en" dir="ltr"><span>Development: there is no real Telegram here. <a href="/dev/inbox?${query.toString()}" target="_blank">Open the link as a person of the simulated one</a></span></p>`;
}

/** Confirmed there; this browser takes it with a form of its own, so that a link alone never signs anybody in (S38). */
function showConfirmed(visit: Visit, { id, flow }: Named<LinkFlow>): Promise<FastifyReply> {
  const { words } = visit;
  const title = flow.isAddition ? words.telegram.linkTitle : words.telegram.title;
  const body = html`<div class="stack">${leadOf(title)}<p class="state" role="status">${words.telegram.confirmed}</p><div data-takes>${formOf(visit, pathTo(visit, '/telegram/done'), { flow: id }, submitOf(words.continue))}</div></div>`;
  return sendPage(visit, { title, body, leadsTo: outsideOf(flow.returnTo) });
}

function showEnd(visit: Visit, { id, flow }: Named<LinkFlow>, status: number, told: Told) {
  links.drop(visit, id);
  const { words } = visit;
  const again = flow.isAddition
    ? html`<a class="button full" href="${pathTo(visit, '/account/add', { with: 'telegram' })}">${words.telegram.again}</a>`
    : formOf(visit, pathTo(visit, '/telegram'), { return_to: flow.returnTo }, submitOf(words.telegram.again));
  const other = html`<div class="choices"><a href="${leaveTo(visit, flow)}">${flow.isAddition ? words.backToAccount : words.verify.another}</a></div>`;
  return sendPage(visit, { title: told.title, status, body: toldBody(told, html`${again}${other}`) });
}

function leaveTo(visit: Visit, flow: LinkFlow): string {
  return flow.isAddition
    ? pathTo(visit, '/account')
    : pathTo(visit, '/sign-in', { return_to: flow.returnTo });
}

/** POST /telegram: begins a link. */
export async function takeTelegram(visit: Visit): Promise<FastifyReply> {
  const back = readReturnAddress(visit);
  if (!back.ok) return tellBadReturn(visit);
  const outcome = await beginTelegramLink(visit, undefined, back.returnTo);
  return 'ok' in outcome ? showTelegram(visit, problemOf(visit, outcome)) : outcome.goes;
}

/** Begins a link and goes to its page. @param access who adds a Telegram account to theirs */
export async function beginTelegramLink(
  visit: Visit,
  access: Access | undefined,
  returnTo: string | undefined,
): Promise<{ goes: FastifyReply } | Refused> {
  const { context, clues } = visit;
  const outcome = await startTelegramLink(context.signIn, access ? { access } : {}, clues);
  if (!outcome.ok) return outcome;
  const id = links.keep(visit, {
    linkId: outcome.linkId,
    url: outcome.url,
    isAddition: access !== undefined,
    ...(returnTo === undefined ? {} : { returnTo }),
  });
  return { goes: goTo(visit, pathTo(visit, '/telegram', { flow: id })) };
}

/** GET /telegram/state: for the page's script; the answer comes when something has happened, or after a while. */
export async function telegramState(visit: Visit): Promise<FastifyReply> {
  const found = links.find(visit);
  const seen = textOf(visit.query, 'seen').slice(0, 20);
  const told = found
    ? await readTelegramLink(
        visit.context.signIn,
        { linkId: found.flow.linkId, wait: WAIT_SECONDS, seen },
        visit.clues,
      )
    : undefined;
  // What is gone is over, and the page says so when it loads again.
  return visit.reply.send({ state: told?.ok ? told.state : 'expired' });
}

/** POST /telegram/done: takes what was confirmed. */
export async function takeTelegramDone(visit: Visit): Promise<FastifyReply> {
  const found = links.find(visit);
  if (!found) return showTelegram(visit);
  const { id, flow } = found;
  const { context, clues } = visit;
  const access = flow.isAddition ? await accessOf(visit) : undefined;
  const outcome = await completeTelegramLink(
    context.signIn,
    { linkId: flow.linkId, device: { kind: 'browser' }, style: 'opaque', ...(access ? { access } : {}) },
    clues,
  );
  if (!outcome.ok) return refusedCompletion(visit, found, outcome);
  links.drop(visit, id);
  if (!('linked' in outcome)) return finishSignIn(visit, outcome, flow.returnTo);
  leaveNotice(visit, 'added');
  return goTo(visit, pathTo(visit, '/account'));
}

function refusedCompletion(
  visit: Visit,
  found: Named<LinkFlow>,
  refused: Refused,
): FastifyReply | Promise<FastifyReply> {
  const isOfTheLink = ['LINK_NOT_CONFIRMED', 'LINK_DENIED', 'LINK_EXPIRED', 'VERIFICATION_NOT_FOUND'];
  if (isOfTheLink.includes(refused.error)) {
    return goTo(visit, pathTo(visit, '/telegram', { flow: found.id }));
  }
  const { notice = '', status } = problemOf(
    visit,
    refused,
    found.flow.isAddition ? { ALREADY_REGISTERED: 'addressTaken' } : {},
  );
  return showEnd(visit, found, status, { title: visit.words.telegram.denied.title, text: notice });
}
