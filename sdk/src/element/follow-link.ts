import type { SignedIn } from '../answers.ts';
import { FirstproofError } from '../errors.ts';
import type { Calls, TelegramLink } from './calls.ts';

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/**
 * Follows a link into Telegram until it is confirmed, and takes its session. One question at a time, which the server
 * keeps waiting until something happens; none while nobody looks at the page.
 * @returns undefined once `isOver`; throws LINK_DENIED or LINK_EXPIRED
 */
export async function followLink(
  calls: Calls,
  link: TelegramLink,
  isOver: () => boolean,
  opened: () => void,
): Promise<SignedIn | undefined> {
  let seen = 'waiting';
  for (let failures = 0; ; ) {
    if (document.hidden) {
      await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
    }
    if (isOver()) return undefined;
    try {
      const { state } = await calls.linkState(link.link_id, seen);
      failures = 0;
      if (isOver()) return undefined;
      if (state === 'confirmed') return await calls.completeLink(link.link_id);
      if (state !== 'waiting' && state !== 'opened') {
        throw new FirstproofError(state === 'denied' ? 'LINK_DENIED' : 'LINK_EXPIRED', 403, state, {});
      }
      if (state !== seen) opened();
      seen = state;
      await pause(link.poll_after);
    } catch (fault) {
      // A server that is away for a moment is asked again; what it has refused is over.
      if (fault instanceof FirstproofError && fault.status < 500) throw fault;
      failures += 1;
      await pause(Math.min(30, 2 ** failures));
    }
  }
}
