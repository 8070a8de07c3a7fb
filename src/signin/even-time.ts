import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than the work takes on a server that is not overloaded; shorter than anybody notices. */
const EVEN_MILLISECONDS = 50;

/** The same where a password is hashed: above the hash and a short queue for it. */
export const EVEN_HASHING_MILLISECONDS = 250;

/**
 * Answers at a whole multiple of fifty milliseconds (or those given) after the work began: what was found differs by
 * less than that, so the time of an answer tells nothing about it, on a busy server neither (S22).
 */
export async function inEvenTime<T>(work: Promise<T>, milliseconds = EVEN_MILLISECONDS): Promise<T> {
  const started = performance.now();
  const [result] = await Promise.allSettled([work]);
  await sleep(milliseconds - ((performance.now() - started) % milliseconds));
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}
