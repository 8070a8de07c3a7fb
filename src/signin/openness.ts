import type { Tenant } from '../tenants/tenants.ts';
import type { RequestClues, SignInContext } from './context.ts';

const HOUR = 3600;

/**
 * May this answer tell a stranger whether an address has an account? Only where the tenant answers explicitly, and
 * only so often an hour for one caller: a list of addresses cannot be tried out (C1). Spends one such answer.
 */
export async function mayTellOpenly(
  context: SignInContext,
  tenant: Tenant,
  clues: RequestClues,
): Promise<boolean> {
  if (tenant.policy.errorDetail !== 'explicit') return false;
  const taken = await context.buckets.take(keyOf(clues), context.explicitAnswersPerCallerPerHour, HOUR);
  return taken.allowed;
}

/** Would such an answer still be given? Spends none: what tells nothing new must only keep in step with the others. */
export async function stillTellsOpenly(
  context: SignInContext,
  tenant: Tenant,
  clues: RequestClues,
): Promise<boolean> {
  if (tenant.policy.errorDetail !== 'explicit') return false;
  return (await context.buckets.left(keyOf(clues), context.explicitAnswersPerCallerPerHour)) > 0;
}

function keyOf(clues: RequestClues): string {
  return `explicit:${clues.caller.bucket}`;
}
