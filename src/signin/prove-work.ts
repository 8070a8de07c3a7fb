import { CHALLENGE_LIFE_SECONDS, type Solved } from '../challenges/challenges.ts';
import { type ChallengePut, type Refused, refuse } from '../kernel/errors.ts';
import type { RequestClues, SignInContext } from './context.ts';

const HOUR = 3600;

/** What is begun: each has its counters, so that no form of it uses up another's. */
type Begun = 'send' | 'telegram' | 'login';

/** Has this request solved a challenge? Looked at once for a request, whatever asks. */
export async function hasSolved(context: SignInContext, clues: RequestClues): Promise<Solved> {
  const { challengeAnswer, caller } = clues;
  return challengeAnswer === undefined
    ? 'unsolved'
    : context.challenges.check(challengeAnswer, caller.bucket);
}

/** A new challenge, as the details of an answer name it. */
export function putChallenge(context: SignInContext, clues: RequestClues): Promise<ChallengePut> {
  return context.challenges.put(clues.caller.bucket);
}

/** A challenge that is asked for ahead, and whether this caller's next send will want its solution. */
export async function readChallenge(
  context: SignInContext,
  clues: RequestClues,
): Promise<ChallengePut & { isRequired: boolean; expiresIn: number }> {
  const free = freeOf(context);
  const [put, left] = await Promise.all([
    putChallenge(context, clues),
    context.buckets.left(`send:${clues.caller.bucket}`, free),
  ]);
  const isRequired = left === 0 && free < context.sendsPerCallerPerHour;
  return { ...put, isRequired, expiresIn: CHALLENGE_LIFE_SECONDS };
}

/**
 * Takes one from what a caller may begin in an hour. The first go free; each one after them costs a solved challenge;
 * behind both stands the caller's whole hour, which nothing widens.
 * @param isKnown somebody signed in, or a bot whose person is known: nothing is asked of them
 */
export async function takeOfCaller(
  context: SignInContext,
  clues: RequestClues,
  begun: Begun,
  isKnown = false,
): Promise<Refused | undefined> {
  const { bucket } = clues.caller;
  const free = freeOf(context);
  const more = context.sendsPerCallerPerHour - free;
  const taken = await context.buckets.take(`${begun}:${bucket}`, free, HOUR);
  if (taken.allowed) return undefined;
  if (more === 0) return refuse('RATE_LIMITED', { retry_after: taken.retryAfter });
  const key = `${begun}-solved:${bucket}`;
  // Work is asked for only where it leads somewhere.
  if (!isKnown && (await context.buckets.left(key, more)) > 0) {
    const unsolved = await askForWork(context, clues, taken.retryAfter);
    if (unsolved) return unsolved;
  }
  const solved = await context.buckets.take(key, more, HOUR);
  if (solved.allowed) return undefined;
  return refuse('RATE_LIMITED', { retry_after: Math.min(taken.retryAfter, solved.retryAfter) });
}

/** Are challenges put at all? Not where every send of a caller is free. */
export function asksForWork(context: SignInContext): boolean {
  return freeOf(context) < context.sendsPerCallerPerHour;
}

/**
 * Undefined where the request has done its work.
 * @param retryAfter seconds until the same is free; undefined where waiting does not help
 */
export async function askForWork(
  context: SignInContext,
  clues: RequestClues,
  retryAfter: number | undefined,
  sentence?: string,
): Promise<Refused | undefined> {
  const solved = await hasSolved(context, clues);
  if (solved === 'solved' || solved === 'unsure') return undefined;
  if (solved === 'away') return refuse('OVERLOADED', { retry_after: 5 }, AWAY);
  const details = {
    ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
    expires_in: CHALLENGE_LIFE_SECONDS,
    next_action: 'SOLVE_CHALLENGE',
    ...(await putChallenge(context, clues)),
  };
  return refuse('PROOF_OF_WORK_REQUIRED', details, sentence);
}

const AWAY = 'The CAPTCHA cannot be checked at the moment. Try again a little later.';

function freeOf({ freeSendsPerCallerPerHour: free, sendsPerCallerPerHour: most }: SignInContext): number {
  return Math.min(free, most);
}
