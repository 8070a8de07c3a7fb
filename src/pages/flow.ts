import { randomToken } from '../kernel/secrets.ts';
import { cookieName, cookiesNamed, readCookie } from '../web/cookies.ts';
import { textOf } from './context.ts';
import type { ProblemName } from './words.ts';
import { setCookie, type Visit } from './visit.ts';

/** A sign-in, a sign-up or a forgotten password on its way, as this browser keeps it. Times are milliseconds. */
export interface Flow {
  purpose: 'sign_in' | 'register' | 'recover';
  /** The handle of the verification: a secret, which is why all of this is sealed and never in an address. */
  handle: string;
  /** Slug of the tenant the verification belongs to; on shared pages the phone may have chosen it. */
  tenant: string;
  channel: string;
  destination: string;
  kind: 'phone' | 'email' | 'telegram';
  /** The address in its canonical form. */
  value: string;
  codeLength: number;
  expiresAt: number;
  resendAt: number;
  attemptsLeft: number;
  returnTo?: string;
  /** What the last try ended with, to be said on the page. */
  problem?: { name: ProblemName; seconds?: number };
  /** After the proof of a forgotten password: what sets the new one. */
  resetToken?: string;
}

const PREFIX = 'firstproof-flow-';
/** As long as a registration waits for its proof. */
const LIFE_SECONDS = 86_400;
/** Sign-ins begun in several tabs; older ones go. */
const MOST_FLOWS = 4;

/** A flow under the name by which pages speak of it: a few characters that open nothing by themselves. */
export interface NamedFlow {
  id: string;
  flow: Flow;
}

interface Sealed {
  flow: Flow;
  base: string;
  until: number;
}

/** Keeps a flow in a cookie of its own, so that two tabs with two sign-ins never get into each other's way. */
export function keepFlow(visit: Visit, flow: Flow, id: string = randomToken(6)): string {
  const now = visit.context.clock.now().getTime();
  const sealed: Sealed = { flow, base: visit.site.base, until: now + LIFE_SECONDS * 1000 };
  const value = visit.context.secrets
    .seal(JSON.stringify(sealed), contextOf(visit, id))
    .toString('base64url');
  const others = flowsOf(visit).filter((other) => other.id !== id);
  for (const { id: old } of others.slice(MOST_FLOWS - 1)) dropFlow(visit, old);
  setCookie(visit, PREFIX + id, value, LIFE_SECONDS);
  return id;
}

export function dropFlow(visit: Visit, id: string): void {
  setCookie(visit, PREFIX + id, '', 0);
}

/** The flow a page is about: the one its address names, else the only one there is. */
export function findFlow(visit: Visit): NamedFlow | undefined {
  const id = textOf(visit.form, 'flow') || textOf(visit.query, 'flow');
  if (id !== '') {
    const flow = openFlow(visit, id);
    return flow && { id, flow };
  }
  const all = flowsOf(visit);
  return all.length === 1 ? all[0] : undefined;
}

/** This browser's flows, the newest first. */
export function flowsOf(visit: Visit): NamedFlow[] {
  const prefix = cookieName(PREFIX, visit.secure);
  return cookiesNamed(visit.request.headers.cookie ?? '', prefix)
    .flatMap((name) => {
      const id = name.slice(prefix.length);
      const flow = openFlow(visit, id);
      return flow ? [{ id, flow }] : [];
    })
    .sort((left, right) => right.flow.resendAt - left.flow.resendAt);
}

function openFlow(visit: Visit, id: string): Flow | undefined {
  if (!/^[\w-]{8}$/.test(id)) return undefined;
  const { context, site, request } = visit;
  const value = readCookie(request.headers.cookie ?? '', cookieName(PREFIX + id, visit.secure));
  if (!value) return undefined;
  try {
    const text = context.secrets.open(Buffer.from(value, 'base64url'), contextOf(visit, id)).toString();
    const sealed = JSON.parse(text) as Sealed;
    const isOurs = sealed.base === site.base && sealed.until > context.clock.now().getTime();
    return isOurs ? sealed.flow : undefined;
  } catch {
    // Cut, changed, of another flow, or sealed with a secret that is gone: the person starts again.
    return undefined;
  }
}

function contextOf(visit: Visit, id: string): string {
  return `page-flow:${visit.site.base}:${id}`;
}
