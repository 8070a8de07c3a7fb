import type { FastifyReply } from 'fastify';
import type { Access } from '../sessions/sessions.ts';
import { updateProfile } from '../signin/profile.ts';
import { showAccount } from './account.ts';
import { trimmedOf } from './context.ts';
import { fieldProblems, problemOf } from './problems.ts';
import { askProof } from './prove.ts';
import { goTo, leaveNotice, pathTo, type Visit } from './visit.ts';

/** Longer than any username, and short enough for a cookie. */
const LONGEST = 200;

/** POST /account/username */
export async function takeUsername(visit: Visit, access: Access): Promise<FastifyReply> {
  const { form, context, clues } = visit;
  const username = trimmedOf(form, 'username') ?? null;
  const isMissing = username === null && access.tenant.policy.requiredFields.includes('username');
  const wrong = isMissing ? 'required' : (username ?? '').length > LONGEST ? 'username' : undefined;
  if (wrong) return showAccount(visit, access, fieldProblems(visit, { username: wrong }), 'username');
  const outcome = await updateProfile(context.signIn, access, { username }, clues);
  if (outcome.ok) {
    leaveNotice(visit, 'saved');
    return goTo(visit, pathTo(visit, '/account'));
  }
  if (outcome.error === 'STEP_UP_REQUIRED') {
    return askProof(visit, access, outcome, { action: 'username', form: { username: username ?? '' } });
  }
  return showAccount(visit, access, problemOf(visit, outcome), 'username');
}
