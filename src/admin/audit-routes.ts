import { Type } from 'typebox';
import { closed, failures } from '../web/schemas.ts';
import type { AdminContext, AdminServer } from './admin.ts';
import { limitOf, nextBefore, ofAdmin, pageQuery, reachTenant, readBefore, tenantQuery } from './reach.ts';

const text = Type.Union([Type.String(), Type.Null()]);

/** GET /api/v1/admin/audit */
export function auditRoutes(server: AdminServer, context: AdminContext): void {
  server.get(
    '/api/v1/admin/audit',
    {
      schema: {
        summary: 'The audit trail, the newest event first',
        description:
          'Events have their place in the chain after a few seconds, and are listed from then on. To verify the chain: `firstproof audit verify`.',
        ...ofAdmin,
        querystring: Type.Object(
          {
            ...tenantQuery,
            actor: Type.Optional(
              Type.String({ maxLength: 400, description: 'Who did it, such as user:<id>.' }),
            ),
            subject: Type.Optional(
              Type.String({ maxLength: 400, description: 'What it was done to, such as phone:+1…' }),
            ),
            action: Type.Optional(Type.String({ maxLength: 64, description: 'Such as user.signed_in.' })),
            ...pageQuery,
          },
          closed,
        ),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            events: Type.Array(
              Type.Object({
                id: Type.String(),
                position: Type.String(),
                action: Type.String(),
                actor: Type.String(),
                subject: text,
                ip: text,
                user_agent: text,
                at: Type.String({ format: 'date-time' }),
                data: Type.Record(Type.String(), Type.Unknown()),
                erased_by: text,
              }),
            ),
            next_before: nextBefore,
          }),
          ...failures(401, 403, 404),
        },
      },
    },
    async (request, reply) => {
      const reached = await reachTenant(context, request, reply);
      const { actor, subject, action, before } = request.query;
      const limit = limitOf(request.query);
      if (!reached || !readBefore(reply, before, (place) => /^\d{1,18}$/.test(place))) return reply;
      // Both given: both must fit.
      const rows = await context.accounts.events(reached.tenant, {
        ...(actor === undefined ? {} : { actor }),
        ...(subject === undefined ? {} : { subject }),
        action,
        before,
        limit,
      });
      const last = rows.length < limit ? undefined : rows.at(-1);
      return {
        success: true as const,
        events: rows.map((row) => ({ ...row, at: row.at.toISOString() })),
        next_before: last?.position ?? null,
      };
    },
  );
}
