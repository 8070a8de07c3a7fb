import type { SendResult } from './provider.ts';

/** A message is tried so often by one channel (R04). */
const MOST_ATTEMPTS = 3;
/**
 * Claimed so often without an end, it is taken for what ends its servers. More than the tries: others that were claimed
 * beside such a message are counted with it and must not be lost.
 */
export const MOST_CLAIMS = 10;
/** Where another channel is left, a person is not kept waiting for a third try. */
const MOST_ATTEMPTS_BEFORE_NEXT_CHANNEL = 2;
/** No provider may hold a try longer. */
export const PROVIDER_TIMEOUT_MILLISECONDS = 10_000;
/** What `SendResult.error` says when a provider did not answer in time. */
export const NOT_IN_TIME = 'TimeoutError';
/** A recipient out of reach is tried again by that channel after so long: numbers and mailboxes come back. */
export const SUPPRESS_SECONDS = 7 * 86_400;

/**
 * Seconds until the next try: exponential, capped, with full jitter, and never sooner than the provider asked.
 * @param attempt how many tries were made so far
 * @param random a number from 0 to 1
 */
export function retryDelay(attempt: number, random: number, retryAfterSeconds = 0): number {
  const ceiling = Math.min(60, 2 * 2 ** attempt);
  return Math.max(retryAfterSeconds, 1 + random * (ceiling - 1));
}

/**
 * May a message have left with this try, for all we know? Then its price is spent. A time-out, a broken connection and
 * most 5xx tell nothing; who refuses it or asks for quiet has not taken it.
 */
export function mayHaveLeft(result: SendResult): boolean {
  if (result.state !== 'retry') return result.state === 'sent';
  return result.retryAfterSeconds === undefined && result.notBeforeSeconds === undefined;
}

/** The channel after this one in a plan; undefined when it is the last. */
export function channelAfter(plan: readonly string[], channel: string): string | undefined {
  const place = plan.indexOf(channel);
  return place < 0 ? undefined : plan[place + 1];
}

/** What a try that did not succeed leads to. */
export type Onward =
  /** Another provider of the same channel, at once. */
  | 'other_provider'
  /** The next channel of the plan, at once. */
  | 'next_channel'
  /** The same way once more, after a pause. */
  | 'again'
  | 'give_up';

/**
 * @param attempts tries made by this channel, this one included
 * @param left what else there is: a provider of this channel that has not failed, a channel after this one
 */
export function onwardAfter(
  result: Exclude<SendResult, { state: 'sent' }>,
  attempts: number,
  left: { otherProvider: boolean; nextChannel: boolean },
): Onward {
  const leave: Onward = left.nextChannel ? 'next_channel' : 'give_up';
  if (attempts >= MOST_ATTEMPTS) return leave;
  if (result.state === 'refused') {
    // Only what is wrong between us and this provider may go better with another one.
    return result.remedy === 'alarm' && left.otherProvider ? 'other_provider' : leave;
  }
  if (left.otherProvider) return 'other_provider';
  // Whoever hung once has cost the person ten seconds already.
  const patience = result.error === NOT_IN_TIME ? 1 : MOST_ATTEMPTS_BEFORE_NEXT_CHANNEL;
  if (left.nextChannel && attempts >= patience) return 'next_channel';
  return 'again';
}
