import { type Refused, refuse } from '../kernel/errors.ts';
import type { ProofState } from '../verification/verification.ts';
import type { RequestClues, SignInContext } from './context.ts';

const HOUR = 3600;
/** Codes of one caller that are refused uncompared in an hour, for each send it may cause: a whole office mistypes less. */
const REFUSALS_PER_SEND = 20;

const keyOf = ({ caller }: RequestClues): string => `code-refused:${caller.bucket}`;

/**
 * Undefined where this caller may have a code looked at. A code that is over is refused as often as it is typed, and
 * each refusal is an event: who holds one dead code must not fill the audit trail with it. Asks memory alone, so that
 * whoever types a living code waits for nothing.
 */
export function refuseTireless(context: SignInContext, clues: RequestClues): Refused | undefined {
  const wait = context.buckets.refusedFor(keyOf(clues));
  return wait > 0 ? refuse('RATE_LIMITED', { retry_after: wait }) : undefined;
}

/** Counts a code that was refused uncompared. What was compared has budgets of its own. */
export function countRefusal(context: SignInContext, state: ProofState, clues: RequestClues): void {
  if (state === 'wrong' || state === 'proved') return;
  const most = REFUSALS_PER_SEND * context.sendsPerCallerPerHour;
  context.buckets.take(keyOf(clues), most, HOUR).catch((error: unknown) => {
    context.log.warn({ event: 'refusal_uncounted', error }, 'a refused code was not counted');
  });
}
