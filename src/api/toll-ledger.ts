import { Type } from 'typebox';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authorise } from './context.ts';
import { apiKey, failures } from './schemas.ts';

const Entry = Type.Object({
  tenant: Type.String(),
  day: Type.String({ description: 'Of UTC, as 2026-03-01.' }),
  channel: Type.String(),
  country: Type.String({ description: 'ISO 3166-1 alpha-2.' }),
  messages: Type.Integer(),
  money: Type.Number({ description: 'As reckoned by the prices of the tenant.' }),
});

/** GET /api/v1/admin/tolls */
export function tollLedgerRoute(server: ApiServer, context: ApiContext): void {
  server.get(
    '/api/v1/admin/tolls',
    {
      schema: {
        summary: 'What SMS and calls cost, by day, channel and country',
        description: 'A key that belongs to one tenant sees that one.',
        tags: ['admin'],
        security: apiKey,
        response: {
          200: Type.Object({ success: Type.Literal(true), ledger: Type.Array(Entry) }),
          ...failures(401, 403),
        },
      },
    },
    async (request, reply) => {
      const authorised = await authorise(context, request, 'admin');
      if (!authorised.ok) return sendRefusal(reply, authorised);
      const { tolls, tenants } = context.signIn;
      const ledger = (await tolls.ledger(authorised.apiKey.tenantId)).map(({ tenantId, ...entry }) => ({
        tenant: tenants.byId(tenantId)?.slug ?? tenantId,
        ...entry,
      }));
      return { success: true as const, ledger };
    },
  );
}
