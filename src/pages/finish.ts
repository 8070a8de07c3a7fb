import type { FastifyReply } from 'fastify';
import type { SignedIn } from '../signin/signed-in.ts';
import { dropFlow, type Flow, keepFlow } from './flow.ts';
import { addressAfter } from './return-address.ts';
import { enter, goTo, leaveNotice, pathTo, type Visit } from './visit.ts';

/** The session goes into the browser, and the person where they wanted to go. */
export async function finishSignIn(
  visit: Visit,
  signedIn: SignedIn,
  returnTo: string | undefined,
  flow?: { id: string; flow: Flow },
): Promise<FastifyReply> {
  await enter(visit, signedIn);
  if (flow && signedIn.setPassword) {
    const { resetToken } = signedIn.setPassword;
    keepFlow(visit, { ...withoutProblem(flow.flow), purpose: 'register', resetToken }, flow.id);
    return goTo(visit, pathTo(visit, '/reset', { flow: flow.id }));
  }
  if (flow) dropFlow(visit, flow.id);
  if (signedIn.isNewUser && returnTo === undefined) leaveNotice(visit, 'welcome');
  return goTo(visit, addressAfter(visit, returnTo));
}

export function withoutProblem(flow: Flow): Flow {
  const { problem: _, ...rest } = flow;
  return rest;
}
