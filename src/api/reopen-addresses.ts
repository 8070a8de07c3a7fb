import { Type } from 'typebox';
import { reopenAddress, reopenOwnAddresses } from '../signin/reopen-addresses.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authenticate, authorise, cluesOf } from './context.ts';
import { addressFields, apiKey, bearer, closed, failures, fields } from './schemas.ts';
import { refuse } from '../kernel/errors.ts';

const Reopened = Type.Object({
  success: Type.Literal(true),
  addresses: Type.Array(Type.Object({ kind: Type.String(), value: Type.String() }), {
    description: 'Those that had been closed.',
  }),
});

/** POST /api/v1/auth/addresses/reopen, POST /api/v1/admin/addresses/reopen */
export function reopenAddressesRoutes(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/addresses/reopen',
    {
      schema: {
        summary: 'Open your addresses again after too many wrong codes in a row',
        tags: ['account'],
        security: bearer,
        response: { 200: Reopened, ...failures(401) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const { caller } = cluesOf(context, request);
      const { addresses } = await reopenOwnAddresses(context.signIn, authenticated.access, caller);
      return { success: true as const, addresses };
    },
  );

  server.post(
    '/api/v1/admin/addresses/reopen',
    {
      schema: {
        summary: 'Open an address again after too many wrong codes in a row',
        tags: ['admin'],
        security: apiKey,
        body: Type.Object({ ...addressFields, tenant: Type.Optional(fields.tenant) }, closed),
        response: { 200: Reopened, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const authorised = await authorise(context, request, 'admin');
      if (!authorised.ok) return sendRefusal(reply, authorised);
      const clues = cluesOf(context, request);
      const own = authorised.apiKey.tenantId;
      const slug = own === null ? undefined : context.signIn.tenants.byId(own)?.slug;
      const named = request.body.tenant ?? clues.tenantHeader ?? slug;
      // A key of one tenant never reaches another's addresses.
      if (slug !== undefined && named !== slug) return sendRefusal(reply, refuse('TENANT_NOT_FOUND'));
      const outcome = await reopenAddress(
        context.signIn,
        { ...request.body, ...(named === undefined ? {} : { tenant: named }) },
        `api_key:${authorised.apiKey.id}`,
        { ...clues, tenantHeader: undefined },
      );
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return { success: true as const, addresses: outcome.addresses };
    },
  );
}
