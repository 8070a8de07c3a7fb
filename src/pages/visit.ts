import type { FastifyReply, FastifyRequest } from 'fastify';
import { matchLocale, parseAcceptLanguage } from '../kernel/locale.ts';
import { randomToken } from '../kernel/secrets.ts';
import type { Access } from '../sessions/sessions.ts';
import type { RequestClues } from '../signin/context.ts';
import type { SignedIn } from '../signin/signed-in.ts';
import { cookieName, readCookie, setCookieLine } from '../web/cookies.ts';
import { formToken, isFormToken } from '../web/csrf.ts';
import { type Fields, type PagesContext, textOf } from './context.ts';
import { readWork } from './challenge.ts';
import { belongsTo, cluesFor, type Site } from './site.ts';
import { pageLocales, type Words, wordsOf } from './words.ts';

/** One request for a page: whose, in which language, by which browser. */
export interface Visit {
  context: PagesContext;
  site: Site;
  request: FastifyRequest;
  reply: FastifyReply;
  /** The page's path below the site: /sign-in. */
  path: string;
  query: Fields;
  form: Fields;
  locale: string;
  words: Words;
  clues: RequestClues;
  secure: boolean;
  /** What the form cookie holds: this browser, until it closes or signs in. */
  browser: string;
  /** Did the browser bring that cookie? */
  hasCookie: boolean;
}

const FORM_COOKIE = 'firstproof-form';
const LANGUAGE_COOKIE = 'firstproof-language';
const NOTICE_COOKIE = 'firstproof-notice';
const DEVICE_COOKIE = 'firstproof-device';
const SESSION_COOKIE = 'firstproof';
const YEAR = 31_536_000;

export type VisitStart = Pick<Visit, 'context' | 'site' | 'request' | 'reply' | 'path'>;

/** Reads who visits, and gives a new browser its form cookie. */
export function beginVisit(start: VisitStart): Visit {
  const { context, site, request } = start;
  const secure = context.publicUrl.startsWith('https:');
  const query = (request.query ?? {}) as Fields;
  const form = (request.body ?? {}) as Fields;
  const cookies = request.headers.cookie ?? '';
  const given = readCookie(cookies, cookieName(FORM_COOKIE, secure));
  const hasCookie = given !== undefined && /^[\w-]{22}$/.test(given);
  const clues = withDevice(context, cluesFor(site, context.cluesOf(request)), cookies, secure);
  const challengeAnswer = readWork(form);
  const kept = readCookie(cookies, cookieName(LANGUAGE_COOKIE, secure));
  const wishes = [...(kept === undefined ? [] : [kept]), ...parseAcceptLanguage(clues.acceptLanguage)];
  const locale = matchLocale(wishes, pageLocales, site.tenant.locale);
  const visit: Visit = {
    ...start,
    query,
    form,
    locale,
    words: wordsOf(locale),
    clues: { ...clues, challengeAnswer },
    secure,
    browser: hasCookie ? given : randomToken(16),
    hasCookie,
  };
  if (!hasCookie) setCookie(visit, FORM_COOKIE, visit.browser);
  return visit;
}

/** Strangers who guess at an address never lock out the browsers in which its owner has signed in before (S31). */
function withDevice(
  context: PagesContext,
  clues: RequestClues,
  cookies: string,
  secure: boolean,
): RequestClues {
  const token = readCookie(cookies, cookieName(DEVICE_COOKIE, secure));
  if (!token) return clues;
  const deviceId = context.signIn.sessions.readDeviceToken(token);
  return { ...clues, caller: { ...clues.caller, deviceId } };
}

/** Sets a cookie of ours with the answer. @param life seconds; left out: until the browser closes */
export function setCookie(visit: Visit, name: string, value: string, life?: number): void {
  const line = setCookieLine(cookieName(name, visit.secure), value, visit.secure, life);
  visit.reply.header('set-cookie', line);
}

/** Keeps the language that somebody chose. */
export function keepLanguage(visit: Visit, locale: string): void {
  setCookie(visit, LANGUAGE_COOKIE, locale, YEAR);
}

/** A token for the forms of this page. */
export function tokenOf(visit: Visit): string {
  return formToken(visit.context.secrets, visit.browser, visit.site.tenant.id);
}

/** Did one of our forms, shown to this very browser, send this? */
export function hasFormToken(visit: Visit): boolean {
  const { context, browser, site, form } = visit;
  return visit.hasCookie && isFormToken(context.secrets, browser, site.tenant.id, textOf(form, 'form_token'));
}

/** Tenants named by the path share a host: each keeps its session under a name of its own. */
function sessionCookie(site: Site): string {
  return site.base === '' ? SESSION_COOKIE : `${SESSION_COOKIE}-${site.tenant.slug}`;
}

/** Who is signed in in this browser, if anybody is. */
export async function accessOf(visit: Visit): Promise<Access | undefined> {
  const { context, site, request, clues } = visit;
  const name = cookieName(sessionCookie(site), visit.secure);
  const token = readCookie(request.headers.cookie ?? '', name);
  if (token === undefined || token === '') return undefined;
  const { sessions } = context.signIn;
  const result = await sessions.authenticate(token);
  // Pages are opened by opaque sessions only: a stolen access token is worth nothing as a cookie.
  if (!result.ok || result.access.style !== 'opaque' || !belongsTo(site, result.access.tenant)) {
    return undefined;
  }
  sessions.noteUse(result.access, () => clues.caller.ip);
  return result.access;
}

/**
 * Puts a session that has just been opened into the browser. The one that was there is ended, and forms shown before
 * are worth nothing any more (ASVS 7.2.4).
 */
export async function enter(
  visit: Visit,
  { tokens, session }: Pick<SignedIn, 'tokens' | 'session'>,
): Promise<void> {
  const before = await accessOf(visit);
  // Where devices share one session, it is the same one again.
  const isOther = before !== undefined && before.sessionId !== session.id;
  if (isOther) await visit.context.signIn.sessions.end(before, 'this', visit.clues.caller);
  setCookie(visit, sessionCookie(visit.site), tokens.session_token ?? tokens.access_token, tokens.expires_in);
  setCookie(visit, DEVICE_COOKIE, session.device_token, YEAR);
  setCookie(visit, FORM_COOKIE, randomToken(16));
}

/** Takes the session out of the browser. */
export function leave(visit: Visit): void {
  setCookie(visit, sessionCookie(visit.site), '', 0);
  setCookie(visit, FORM_COOKIE, randomToken(16));
}

/** One word for the next page to say: what has just been done. */
const NOTICES = [
  'saved',
  'welcome',
  'password',
  'ended',
  'renamed',
  'resent',
  'added',
  'changed',
  'removed',
  'last',
] as const;
export type Notice = (typeof NOTICES)[number];

export function leaveNotice(visit: Visit, notice: Notice): void {
  setCookie(visit, NOTICE_COOKIE, notice, 60);
}

/** What was just done, told once. */
export function takeNotice(visit: Visit): Notice | undefined {
  const notice = readCookie(visit.request.headers.cookie ?? '', cookieName(NOTICE_COOKIE, visit.secure));
  if (notice === undefined) return undefined;
  setCookie(visit, NOTICE_COOKIE, '', 0);
  return NOTICES.find((known) => known === notice);
}

/** Sends the browser on with a GET, so that neither reload nor back sends a form again (ASVS 3.7.2: 303, never 307). */
export function goTo(visit: Visit, address: string): FastifyReply {
  return visit.reply.code(303).header('location', address).send('');
}

/** An address of these pages. Empty values are left out. */
export function pathTo(
  visit: Pick<Visit, 'site'>,
  path: string,
  query: Record<string, string | undefined> = {},
): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const text = new URLSearchParams(given).toString();
  return `${visit.site.base}${path}${text === '' ? '' : `?${text}`}`;
}
