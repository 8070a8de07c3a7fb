/** A message is tried so often in all (R04). */
export const MOST_ATTEMPTS = 3;
/** No provider may hold a try longer. */
export const PROVIDER_TIMEOUT_MILLISECONDS = 10_000;

/**
 * Seconds until the next try: exponential, capped, with full jitter, and never sooner than the provider asked.
 * @param attempt how many tries were made so far
 * @param random a number from 0 to 1
 */
export function retryDelay(attempt: number, random: number, retryAfterSeconds = 0): number {
  const ceiling = Math.min(60, 2 * 2 ** attempt);
  return Math.max(retryAfterSeconds, 1 + random * (ceiling - 1));
}
