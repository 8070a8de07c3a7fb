import { Type } from 'typebox';
import { refuse } from '../kernel/errors.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import type { ApiContext } from './context.ts';
import { failures } from './schemas.ts';

/** Shorter than the time a key is published before it signs, so that no verifier meets an unknown key. */
const JWKS_CACHE = 'public, max-age=300';

const Jwks = Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.Unknown())) });

/** The public keys: of the whole deployment, and of one tenant below its issuer. */
export function wellKnownRoutes(server: ApiServer, context: ApiContext): void {
  server.get(
    '/.well-known/jwks.json',
    {
      config: { isCheap: true },
      schema: {
        summary: 'Public keys of every tenant (RFC 7517)',
        tags: ['keys'],
        response: { 200: Jwks, ...failures(404) },
      },
    },
    (request, reply) => {
      const named = request.headers['x-tenant'];
      const tenant = typeof named === 'string' ? context.signIn.tenants.bySlug(named) : undefined;
      if (named !== undefined && !tenant) return void sendRefusal(reply, refuse('TENANT_NOT_FOUND'));
      reply.header('vary', 'x-tenant, origin').header('cache-control', JWKS_CACHE);
      reply.send(context.keys.jwks(tenant?.id));
    },
  );

  server.get(
    '/t/:tenant/.well-known/jwks.json',
    {
      config: { isCheap: true },
      schema: {
        summary: 'Public keys of one tenant, found below its issuer',
        tags: ['keys'],
        params: Type.Object({ tenant: Type.String() }),
        response: { 200: Jwks, ...failures(404) },
      },
    },
    (request, reply) => {
      const tenant = context.signIn.tenants.bySlug(request.params.tenant);
      if (!tenant) return void sendRefusal(reply, refuse('TENANT_NOT_FOUND'));
      reply.header('vary', 'origin').header('cache-control', JWKS_CACHE).send(context.keys.jwks(tenant.id));
    },
  );
}
