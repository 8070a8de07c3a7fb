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
  ofAdmin,
  ofUser,
  pageQuery,
  reachTenant,
  reachUser,
  readBefore,
  tenantQuery,
} from './reach.ts';
import { AdminUser, userOf } from './user-schemas.ts';

const One = Type.Object({ success: Type.Literal(true), user: AdminUser });

/** GET /api/v1/admin/users, GET, PATCH and DELETE /api/v1/admin/users/{id} */
export function userRoutes(server: AdminServer, context: AdminContext): void {
  const { accounts } = context;

  server.get(
    '/api/v1/admin/users',
    {
      schema: {
        summary: 'Accounts, the newest first',
        description:
          '`search` is a phone, an e-mail address (in any writing), a Telegram user id, a username, an id, or the beginning of a name.',
        ...ofAdmin,
        querystring: Type.Object(
          {
            ...tenantQuery,
            search: Type.Optional(Type.String({ maxLength: 320 })),
            state: Type.Optional(Type.Enum(['active', 'inactive', 'disabled'])),
            ...pageQuery,
          },
          closed,
        ),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            users: Type.Array(AdminUser),
            next_before: nextBefore,
          }),
          ...failures(401, 403, 404),
        },
      },
    },
    async (request, reply) => {
      const reached = await reachTenant(context, request, reply);
      const { search: text, state, before } = request.query;
      const limit = limitOf(request.query);
      if (!reached || !readBefore(reply, before)) return reply;
      const rows = await accounts.search(reached.tenant, { text, state, before, limit });
      return { success: true as const, users: rows.map(userOf), next_before: nextOf(rows, limit) };
    },
  );

  server.get(
    '/api/v1/admin/users/:id',
    {
      schema: {
        summary: 'One account',
        ...ofUser,
        response: { 200: One, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachUser(context, request, reply);
      return reached ? { success: true as const, user: userOf(reached.user) } : reply;
    },
  );

  server.patch(
    '/api/v1/admin/users/:id',
    {
      schema: {
        summary: 'Close an account, or open it again',
        description:
          'Closing ends every session at the next request and refuses every sign-in with ACCOUNT_DISABLED. Sent twice it changes nothing more.',
        ...ofUser,
        body: Type.Object({ is_disabled: Type.Boolean() }, closed),
        response: { 200: One, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachUser(context, request, reply);
      if (!reached) return reply;
      const { tenant, by, user } = reached;
      await accounts.setDisabled(tenant, user.id, request.body.is_disabled, by);
      const changed = await accounts.find(tenant, user.id);
      return changed
        ? { success: true as const, user: userOf(changed) }
        : sendRefusal(reply, refuse('NOT_FOUND'));
    },
  );

  server.delete(
    '/api/v1/admin/users/:id',
    {
      schema: {
        summary: 'Remove a person’s data for good',
        description:
          'Addresses, profile, password, devices, messages, chats and what the audit trail tells of the person go in one transaction; sessions end everywhere. The audit chain goes on verifying, and one event tells of the removal. Sent again it is done already.',
        ...ofUser,
        response: { 200: Done, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachTenant(context, request, reply);
      if (!reached) return reply;
      const { id } = request.params;
      const outcome = isUuid(id) ? await accounts.erase(reached.tenant, id, reached.by) : 'missing';
      if (outcome === 'missing') {
        return sendRefusal(reply, refuse('NOT_FOUND', {}, 'This tenant has no such account.'));
      }
      const message =
        outcome === 'erased'
          ? 'The data of this person is gone.'
          : 'It was removed already: nothing is left.';
      return { success: true as const, message };
    },
  );
}
