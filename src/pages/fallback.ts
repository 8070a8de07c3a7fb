import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorCatalogue, type Refused } from '../kernel/errors.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { PagesContext } from './context.ts';
import { type Site, siteOf } from './site.ts';
import { tell } from './tell.ts';
import { beginVisit } from './visit.ts';

/** Whose pages a request wants. Where nobody is, the words are still in somebody's language. */
export function siteFor(context: PagesContext, request: FastifyRequest): { site: Site; isKnown: boolean } {
  const { tenant: slug } = (request.params ?? {}) as { tenant?: string };
  const { tenants } = context.signIn;
  const { host } = context.cluesOf(request);
  const site = siteOf(tenants, slug, host);
  if (site) return { site, isKnown: true };
  return { site: siteOf(tenants, undefined, undefined) ?? NOBODY, isKnown: false };
}

/** Before the first tenant is made there are pages already that say so. */
const NOBODY: Site = {
  base: '',
  isNamed: false,
  tenant: {
    id: '',
    slug: '',
    name: 'Firstproof',
    kind: 'application',
    phonePrefixes: [],
    hosts: [],
    locale: 'en',
    branding: {},
  } as unknown as Tenant,
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A page for people: whatever goes wrong is told by a page too. */
    isPage?: boolean;
  }
}

/**
 * A page for what went wrong, or for an address where nothing is: what happened, what to do next, and nothing of why.
 * Undefined: whoever asks wants no page.
 */
export function answerByPage(
  context: PagesContext,
  request: FastifyRequest,
  reply: FastifyReply,
  refused: Refused,
  error?: Error & { code?: string },
): Promise<FastifyReply> | undefined {
  const isPage = request.routeOptions.config.isPage === true;
  if (!isPage && !(request.is404 && wantsPage(request))) return undefined;
  const { site } = siteFor(context, request);
  // What could not be read is not looked at again.
  request.body = undefined;
  const visit = beginVisit({ context, site, request, reply, path: '/sign-in' });
  const { words } = visit;
  const { retry_after: retryAfter } = refused.details;
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  const { status } = errorCatalogue[refused.error];
  if (error?.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tell(visit, 413, words.tooMuch);
  if (status === 404) return tell(visit, 404, words.notFound);
  return tell(visit, status, status < 500 ? words.unreadable : words.fault);
}

function wantsPage({ headers, url }: FastifyRequest): boolean {
  return (headers.accept ?? '').includes('text/html') && !/^\/(?:api|dev|\.well-known)\//.test(url);
}
