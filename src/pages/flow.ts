import type { ProofWay } from '../kernel/errors.ts';
import { type Named, sealedCookies } from './sealed-cookies.ts';
import type { Visit } from './visit.ts';
import type { ProblemName } from './words.ts';

/** A sign-in, a sign-up or a forgotten password on its way, as this browser keeps it. Times are milliseconds. */
export interface Flow {
  purpose: 'sign_in' | 'register' | 'recover' | 'link' | 'step_up';
  /** The handle of the verification: a secret, which is why all of this is sealed and never in an address. */
  handle: string;
  /** Slug of the tenant the verification belongs to; on shared pages the phone may have chosen it. */
  tenant: string;
  channel: string;
  destination: string;
  kind: 'phone' | 'email' | 'telegram';
  /** The address in its canonical form; of a step-up the id of the account's own address. */
  value: string;
  codeLength: number;
  expiresAt: number;
  resendAt: number;
  attemptsLeft: number;
  returnTo?: string;
  /** What the last try ended with, to be said on the page. */
  problem?: { name: ProblemName; seconds?: number; work?: 'asked' | 'again' };
  /** link: the new address takes the place of another. */
  isReplacement?: boolean;
  /** step_up: under which name the change waits that wants the proof. */
  proving?: string;
  /** After the proof of a forgotten password: what sets the new one. */
  resetToken?: string;
  /** After the proof of a number whose account lay idle: what leads on (S35). */
  secondProof?: { token: string; ways: readonly ProofWay[] };
}

export type NamedFlow = Named<Flow>;

/** As long as a registration waits for its proof; sign-ins begun in several tabs, and no more of them. */
const flows = sealedCookies<Flow>({ name: 'flow', most: 4, lifeSeconds: 86_400 });

/** Keeps a flow in a cookie of its own, so that two tabs with two sign-ins never get into each other's way. */
export function keepFlow(visit: Visit, flow: Flow, id?: string): string {
  return flows.keep(visit, flow, id);
}

export function dropFlow(visit: Visit, id: string): void {
  flows.drop(visit, id);
}

/** The flow a page is about: the one its address names, else the only one there is. */
export function findFlow(visit: Visit): NamedFlow | undefined {
  return flows.find(visit);
}

/** This browser's flows, the newest first. */
export function flowsOf(visit: Visit): NamedFlow[] {
  return flows.all(visit);
}
