import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { refuse } from '../kernel/errors.ts';
import { tenantsOfHandle } from '../signin/resend-otp.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { type Sender, senderOf } from '../web/sender.ts';
import { sendRefusal } from '../web/server.ts';
import { type ApiContext, bearerToken, cluesOf } from './context.ts';
import { namedTenant } from './named-tenant.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What tells whose request it is: the verification whose handle it brings, or its token where it has one. Left out:
     * the tenant that it names, whatever else it brings.
     */
    tenantBy?: 'handle' | 'bearer';
  }
}

/** What pages of other sites may call. Administration, service calls and webhooks are none of a browser's business. */
const FOR_BROWSERS = ['/api/v1/auth/', '/api/auth/', '/.well-known/', '/openapi.json'];
const PREFLIGHTS = ['/api/v1/auth/*', '/api/auth/*', '/.well-known/*'];
const REQUEST_HEADERS =
  'authorization, content-type, idempotency-key, x-captcha-response, x-challenge-solution, x-device-token, x-tenant';
const ANSWER_HEADERS = 'idempotency-replayed, retry-after, www-authenticate';
const PREFLIGHT_SECONDS = '600';

const REFUSED = refuse('ORIGIN_NOT_ALLOWED');

/**
 * Lets pages of allowed origins call the API from a browser (CORS, without credentials: no cookie is ever asked for
 * or set here), and refuses what other pages send in a visitor's name: a send, a registration, a sign-in (S38).
 * Programs, which send no origin, are not concerned. Must be called before the routes are registered.
 */
export function guardOrigins(server: FastifyInstance, context: ApiContext): void {
  const { tenants } = context.signIn;
  const publicOrigin = new URL(context.publicUrl).origin;
  // Every origin of the deployment: which tenant a preflight is for, its browser does not tell.
  let known: Set<string> | undefined;
  tenants.onChange(() => {
    known = undefined;
  });

  const originsOf = (tenant: Tenant): string[] => [
    ...tenant.hosts.map((host) => `https://${host}`),
    ...tenant.policy.allowedOrigins,
  ];
  const isOurs = (origin: string): boolean =>
    origin === publicOrigin || (context.isDevelopment && isLocal(origin));

  function isKnown(origin: string): boolean {
    if (isOurs(origin)) return true;
    known ??= new Set(tenants.all().flatMap(originsOf));
    return known.has(origin);
  }

  /** The tenants that a request may be for, as its route will find them. A handle belongs to one that need not be named. */
  async function tenantsFor(request: FastifyRequest): Promise<readonly (Tenant | undefined)[]> {
    const { tenantBy } = request.routeOptions.config;
    const { verification_id: handle, tenant } = (request.body ?? {}) as Record<string, unknown>;
    if (tenantBy === 'handle' && typeof handle === 'string') {
      const named = typeof tenant === 'string' ? tenant : undefined;
      return tenantsOfHandle(context.signIn, named, cluesOf(context, request));
    }
    const token = tenantBy === 'bearer' ? bearerToken(request) : undefined;
    const asker = token === undefined ? undefined : await context.signIn.sessions.authenticate(token);
    return [asker?.ok ? asker.access.tenant : namedTenant(context, request)];
  }

  async function isWelcome(sender: Sender, request: FastifyRequest): Promise<boolean> {
    if (sender.kind !== 'site') return sender.kind !== 'hidden';
    const { origin } = sender;
    if (isOurs(origin)) return true;
    // A development server that passes /api on is one origin to the browser, whatever its name.
    if (context.isDevelopment && request.headers['sec-fetch-site'] === 'same-origin') return true;
    // An unknown tenant: the route will say so.
    return (await tenantsFor(request)).some((tenant) =>
      tenant === undefined ? isKnown(origin) : originsOf(tenant).includes(origin),
    );
  }

  function tellOrigin(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const { origin } = request.headers;
    if (origin !== undefined) {
      reply.header('vary', 'origin');
      if (isKnown(origin)) {
        reply
          .header('access-control-allow-origin', origin)
          .header('access-control-expose-headers', ANSWER_HEADERS);
      }
    }
    done();
  }

  async function refuseOthers(
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> {
    return (await isWelcome(senderOf(request.headers), request)) ? undefined : sendRefusal(reply, REFUSED);
  }

  server.addHook('onRoute', (route) => {
    if (!FOR_BROWSERS.some((path) => route.url.includes(path))) return;
    route.onRequest = [...[route.onRequest ?? []].flat(), tellOrigin];
    if (isAnonymousChange(route)) route.preHandler = [refuseOthers, ...[route.preHandler ?? []].flat()];
  });
  for (const path of PREFLIGHTS) {
    server.options(path, { schema: { hide: true } }, (request, reply) => {
      const { origin, 'access-control-request-method': asked } = request.headers;
      if (origin === undefined || asked === undefined) return sendRefusal(reply, refuse('NOT_FOUND'));
      reply.header('vary', 'origin, access-control-request-headers');
      if (!isKnown(origin)) return sendRefusal(reply, REFUSED);
      return reply
        .code(204)
        .header('access-control-allow-methods', 'GET, POST, PATCH, DELETE')
        .header('access-control-allow-headers', REQUEST_HEADERS)
        .header('access-control-max-age', PREFLIGHT_SECONDS)
        .send();
    });
  }
}

/** Does the call change something without a token? Where a token is needed no other site has it to send. */
function isAnonymousChange({ method, schema }: RouteOptions): boolean {
  return method === 'POST' && schema?.security === undefined;
}

/** Where people develop: any port of this machine. */
function isLocal(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) || hostname.endsWith('.localhost');
}
