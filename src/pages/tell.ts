import type { FastifyReply } from 'fastify';
import { nextLink, toldBody } from './components.ts';
import { sendPage } from './layout.ts';
import { pathTo, type Visit } from './visit.ts';
import type { Told } from './words.ts';

/** A page that says what happened and what to do next. */
export function tell(
  visit: Visit,
  status: number,
  told: Told,
  next: { path: string; text: string } = { path: '/sign-in', text: visit.words.startAgain },
): Promise<FastifyReply> {
  const body = toldBody(told, nextLink(pathTo(visit, next.path), next.text));
  return sendPage(visit, { title: told.title, status, body });
}

/** The address to return to is not one of the tenant's. It is neither followed nor shown. */
export function tellBadReturn(visit: Visit): Promise<FastifyReply> {
  return tell(visit, 400, visit.words.badReturn);
}
