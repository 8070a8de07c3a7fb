import type { Caller } from '../audit/audit.ts';
import type { Refused } from '../kernel/errors.ts';
import type { Access, Ended, SignOutScope } from '../sessions/sessions.ts';
import type { SignInContext } from './context.ts';
import { requireProof } from './require-proof.ts';

/**
 * Ends this session, the others, or all. What is more than this one wants a recent proof: whoever finds an open browser
 * must not shut its owner out.
 */
export async function logout(
  context: SignInContext,
  access: Access,
  scope: SignOutScope,
  caller: Caller,
): Promise<Ended | Refused> {
  const unproved = scope === 'this' ? undefined : await requireProof(context, access, 'sessions');
  return unproved ?? context.sessions.end(access, scope, caller);
}
