import type { FastifyReply } from 'fastify';
import type { Access } from '../sessions/sessions.ts';
import { requireProof } from '../signin/require-proof.ts';
import { tell } from './tell.ts';
import { pathTo, type Visit } from './visit.ts';

/**
 * Ending other sessions wants a proof of the last five minutes, as the API does: whoever finds an open browser must
 * not shut its owner out. A yes or no, and never the answer itself: a reply that is awaited becomes nothing.
 */
export async function mayEndSessions(visit: Visit, access: Access): Promise<boolean> {
  return (await requireProof(visit.context.signIn, access, 'sessions')) === undefined;
}

/** Signing in again is the proof; then the person is back. */
export function tellUnproved(visit: Visit, returnTo: string): Promise<FastifyReply> {
  const { words } = visit;
  const path = pathTo({ site: { ...visit.site, base: '' } }, '/sign-in', {
    another: '1',
    return_to: returnTo,
  });
  const told = { title: words.signOut.again, text: words.problems.stepUpRequired };
  return tell(visit, 403, told, { path, text: words.signOut.again });
}
