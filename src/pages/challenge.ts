import type { Html } from '../web/html.ts';
import type { Visit } from './visit.ts';

/** Where a form that sends codes makes sure that somebody is there. Nothing is asked as long as no check is set up. */
export function challengeField(_visit: Visit): Html | null {
  return null;
}
