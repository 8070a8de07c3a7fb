import { Type } from 'typebox';
import { refuse } from '../kernel/errors.ts';
import { isUuid } from '../kernel/id.ts';
import { closed, Done, failures } from '../web/schemas.ts';
import { sendRefusal } from '../web/server.ts';
import type { AdminContext, AdminServer } from './admin.ts';
import {
  limitOf,
  nextBefore,
  nextOf,
  ofUser,
  pageQuery,
  reachUser,
  readBefore,
  tenantQuery,
} from './reach.ts';
import { AdminMessage, AdminSession, messageOf, sessionOf } from './user-schemas.ts';

const listQuery = Type.Object({ ...tenantQuery, ...pageQuery }, closed);
const paged = { success: Type.Literal(true), next_before: nextBefore };

/** Sessions, messages and the export of one account: /api/v1/admin/users/{id}/… */
export function userRecordRoutes(server: AdminServer, context: AdminContext): void {
  const { accounts } = context;

  server.get(
    '/api/v1/admin/users/:id/sessions',
    {
      schema: {
        summary: 'Sessions of an account, the newest first',
        description: 'Those that ended too, for thirty days; `live=true` leaves them out.',
        ...ofUser,
        querystring: Type.Object(
          { ...tenantQuery, ...pageQuery, live: Type.Optional(Type.Enum(['true', 'false'])) },
          closed,
        ),
        response: {
          200: Type.Object({ ...paged, sessions: Type.Array(AdminSession) }),
          ...failures(401, 403, 404),
        },
      },
    },
    async (request, reply) => {
      const reached = await reachUser(context, request, reply);
      const { before, live } = request.query;
      const limit = limitOf(request.query);
      if (!reached || !readBefore(reply, before)) return reply;
      const page = { onlyLive: live === 'true', before, limit };
      const rows = await accounts.sessions(reached.tenant, reached.user.id, page);
      return { success: true as const, sessions: rows.map(sessionOf), next_before: nextOf(rows, limit) };
    },
  );

  server.delete(
    '/api/v1/admin/users/:id/sessions',
    {
      schema: {
        summary: 'Sign an account out everywhere',
        ...ofUser,
        response: { 200: Done, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachUser(context, request, reply);
      if (!reached) return reply;
      const count = await accounts.endSessions(reached.tenant, reached.user.id, undefined, reached.by);
      return { success: true as const, message: `Sessions ended: ${count}.` };
    },
  );

  server.delete(
    '/api/v1/admin/users/:id/sessions/:session',
    {
      schema: {
        summary: 'End one session of an account',
        ...ofUser,
        params: Type.Object({ ...ofUser.params.properties, session: Type.String({ maxLength: 36 }) }),
        response: { 200: Done, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachUser(context, request, reply);
      if (!reached) return reply;
      const { session } = request.params;
      const count = isUuid(session)
        ? await accounts.endSessions(reached.tenant, reached.user.id, session, reached.by)
        : 0;
      return count > 0
        ? { success: true as const, message: 'The session has ended.' }
        : sendRefusal(reply, refuse('NOT_FOUND', {}, 'This account has no such live session.'));
    },
  );

  server.get(
    '/api/v1/admin/users/:id/messages',
    {
      schema: {
        summary: 'What was sent to an account of late, and how it ended',
        description: 'Of the last seven days, the newest first. Never what a message said: codes are in it.',
        ...ofUser,
        querystring: listQuery,
        response: {
          200: Type.Object({ ...paged, messages: Type.Array(AdminMessage) }),
          ...failures(401, 403, 404),
        },
      },
    },
    async (request, reply) => {
      const reached = await reachUser(context, request, reply);
      const { before } = request.query;
      const limit = limitOf(request.query);
      if (!reached || !readBefore(reply, before)) return reply;
      const rows = await accounts.messages(reached.tenant, reached.user, { before, limit });
      return { success: true as const, messages: rows.map(messageOf), next_before: nextOf(rows, limit) };
    },
  );

  server.get(
    '/api/v1/admin/users/:id/export',
    {
      schema: {
        summary: 'Everything that is kept of a person',
        description:
          'For the person who asks for it. No passwords, codes or tokens: they are not kept in clear.',
        ...ofUser,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            export: Type.Record(Type.String(), Type.Unknown()),
          }),
          ...failures(401, 403, 404),
        },
      },
    },
    async (request, reply) => {
      const reached = await reachUser(context, request, reply);
      if (!reached) return reply;
      const found = await accounts.export(reached.tenant, reached.user.id, reached.by);
      if (!found) return sendRefusal(reply, refuse('NOT_FOUND'));
      return { success: true as const, export: { ...found } };
    },
  );
}
