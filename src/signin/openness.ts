import type { Tenant } from '../tenants/tenants.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { hasSolved } from './prove-work.ts';

const HOUR = 3600;

/**
 * May this answer tell a stranger whether an address has an account? Only where the tenant answers explicitly, and
 * only so often an hour for one caller: a list of addresses cannot be tried out (C1). Past that a solved challenge buys
 * one more, as many times again. Spends one such answer.
 */
export async function mayTellOpenly(
  context: SignInContext,
  tenant: Tenant,
  clues: RequestClues,
): Promise<boolean> {
  if (tenant.policy.errorDetail !== 'explicit') return false;
  const taken = await context.buckets.take(keyOf(clues), context.explicitAnswersPerCallerPerHour, HOUR);
  if (taken.allowed) return true;
  if ((await hasSolved(context, clues)) !== 'solved') return false;
  return (await context.buckets.take(solvedKeyOf(clues), context.explicitAnswersPerCallerPerHour, HOUR))
    .allowed;
}

/** Would such an answer still be given? Spends none: what tells nothing new must only keep in step with the others. */
export async function stillTellsOpenly(
  context: SignInContext,
  tenant: Tenant,
  clues: RequestClues,
): Promise<boolean> {
  if (tenant.policy.errorDetail !== 'explicit') return false;
  const most = context.explicitAnswersPerCallerPerHour;
  if ((await context.buckets.left(keyOf(clues), most)) > 0) return true;
  if ((await hasSolved(context, clues)) !== 'solved') return false;
  return (await context.buckets.left(solvedKeyOf(clues), most)) > 0;
}

function solvedKeyOf(clues: RequestClues): string {
  return `explicit-solved:${clues.caller.bucket}`;
}

function keyOf(clues: RequestClues): string {
  return `explicit:${clues.caller.bucket}`;
}
