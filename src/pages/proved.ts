import type { FastifyReply } from 'fastify';
import type { Access } from '../sessions/sessions.ts';
import { stepUp } from '../signin/step-up.ts';
import { takeAdd, takeRemove } from './addresses.ts';
import { beginFlow, flowOfProving, toVerify } from './begin-flow.ts';
import { textOf } from './context.ts';
import { takeDevices } from './devices.ts';
import { fieldProblems, problemOf } from './problems.ts';
import { findProving, type Intent, showProve, takeProving, tellNothingToProve } from './prove.ts';
import { takeSignOut } from './sign-out.ts';
import { takeUsername } from './take-username.ts';
import { goTo, pathTo, type Visit } from './visit.ts';

/** POST /prove: sends a code to the chosen address of the account, or compares its password. */
export async function takeProve(visit: Visit, access: Access): Promise<FastifyReply> {
  const found = findProving(visit, access);
  if (!found) return tellNothingToProve(visit);
  const { context, form, clues, locale } = visit;
  const { id, flow } = found;
  const identityId = textOf(form, 'identity');
  if (identityId === '') return provePassword(visit, access, id);
  const way = flow.ways.find((each) => each.identity_id === identityId);
  if (!way || way.method === 'password' || way.method === 'new_account') return showProve(visit, access);
  const outcome = await stepUp(context.signIn, access, { identity_id: identityId, locale }, clues);
  if (!outcome.ok) {
    // A code of a moment ago still waits on its page.
    const waiting = outcome.error === 'RESEND_TOO_SOON' ? flowOfProving(visit, id) : undefined;
    return waiting ? toVerify(visit, waiting.id) : showProve(visit, access, problemOf(visit, outcome));
  }
  if ('method' in outcome) return makeChange(visit, access, id);
  // The code is for an address that the account has: which one, the page knows by its mask alone.
  return beginFlow(visit, outcome, {
    purpose: 'step_up',
    kind: way.method,
    value: identityId,
    proving: id,
    returnTo: undefined,
  });
}

async function provePassword(visit: Visit, access: Access, id: string): Promise<FastifyReply> {
  const password = textOf(visit.form, 'password');
  if (password === '') return showProve(visit, access, fieldProblems(visit, { password: 'required' }));
  const outcome = await stepUp(visit.context.signIn, access, { password }, visit.clues);
  if (!outcome.ok) return showProve(visit, access, problemOf(visit, outcome));
  return makeChange(visit, access, id);
}

/**
 * It is them: makes the change that waited, once. One that wants a second proof beside this one comes back to the page
 * that asks for it.
 */
export async function makeChange(visit: Visit, access: Access, id: string): Promise<FastifyReply> {
  const intent = takeProving(visit, access, id);
  if (!intent) return goTo(visit, pathTo(visit, '/account'));
  const asked: Visit = { ...visit, form: intent.form };
  return make(asked, access, intent.action);
}

function make(visit: Visit, access: Access, action: Intent['action']): FastifyReply | Promise<FastifyReply> {
  switch (action) {
    case 'add_address':
      return takeAdd(visit, access);
    case 'remove_address':
      return takeRemove(visit, access);
    case 'username':
      return takeUsername(visit, access);
    case 'password':
      return goTo(visit, pathTo(visit, '/account/password'));
    case 'devices':
      return takeDevices({ ...visit, path: '/account/devices' }, access);
    case 'sign_out':
      return takeSignOut(visit);
  }
}
