import type { FastifyRequest } from 'fastify';
import type { DevelopmentInbox } from '../delivery/delivery.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Secrets } from '../kernel/secrets.ts';
import type { RequestClues, SignInContext } from '../signin/context.ts';

/** What the pages work with: the use cases' context, and what only pages need. */
export interface PagesContext {
  signIn: SignInContext;
  secrets: Secrets;
  clock: Clock;
  publicUrl: string;
  /** Who asks, read from the request's head. */
  cluesOf: (request: FastifyRequest) => RequestClues;
  isDevelopment: boolean;
  /** Development only: what would have gone out. */
  inbox: DevelopmentInbox | undefined;
}

/** Names and values of a form or a query, as they were sent. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One value of a form; '' when it is missing or there several times. */
export function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

/** The same without the spaces around it; undefined when nothing is left. */
export function trimmedOf(fields: Fields, name: string): string | undefined {
  return textOf(fields, name).trim() || undefined;
}
