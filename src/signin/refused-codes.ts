import type { ProofState } from '../verification/verification.ts';
import type { RequestClues, SignInContext } from './context.ts';

const HOUR = 3600;
/** Codes of one caller that are refused uncompared and recorded in an hour, for each send it may cause. */
const RECORDED_PER_SEND = 20;

const keyOf = ({ caller }: RequestClues): string => `code-refused:${caller.bucket}`;

/**
 * Is it recorded if this caller's code is refused uncompared? A code that is over is refused as often as it is typed:
 * who holds one must not fill the audit trail with it. Right and wrong codes are recorded always. Asks memory alone, so
 * that whoever types a living code waits for nothing.
 */
export function recordsRefusals(context: SignInContext, clues: RequestClues): boolean {
  return context.buckets.refusedFor(keyOf(clues)) === 0;
}

/** Counts a code that was refused uncompared. What was compared has budgets of its own. */
export function countRefusal(context: SignInContext, state: ProofState, clues: RequestClues): void {
  if (state === 'wrong' || state === 'proved') return;
  const most = RECORDED_PER_SEND * context.sendsPerCallerPerHour;
  context.buckets.take(keyOf(clues), most, HOUR).catch((error: unknown) => {
    context.log.warn({ event: 'refusal_uncounted', error }, 'a refused code was not counted');
  });
}
