import { Type } from 'typebox';
import { logout } from '../../signin/logout.ts';
import { readProfile, updateProfile } from '../../signin/profile.ts';
import { sendRefusal } from '../../web/server.ts';
import type { ApiServer } from '../api.ts';
import { type ApiContext, authenticate, cluesOf } from '../context.ts';
import { logoutMessage } from '../logout.ts';
import { changesBody } from '../me.ts';
import { bearer, closed, failures } from '../schemas.ts';
import { Account, Nothing } from './schemas.ts';

const tags = ['enveloped'];

/** GET and PATCH /api/auth/me, POST /api/auth/logout */
export function accountRoutes(server: ApiServer, context: ApiContext): void {
  server.get(
    '/api/auth/me',
    {
      schema: {
        summary: 'Your account',
        tags,
        security: bearer,
        response: { 200: Account, ...failures(401) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const outcome = await readProfile(context.signIn, authenticated.access);
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return { success: true as const, message: 'Your account.', data: { user: outcome.user } };
    },
  );

  server.patch(
    '/api/auth/me',
    {
      schema: {
        summary: 'Change your names and custom fields',
        tags,
        security: bearer,
        body: changesBody,
        response: { 200: Account, ...failures(401, 403) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const clues = cluesOf(context, request);
      const outcome = await updateProfile(context.signIn, authenticated.access, request.body, clues);
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return { success: true as const, message: 'Your account was changed.', data: { user: outcome.user } };
    },
  );

  server.post(
    '/api/auth/logout',
    {
      config: { optionalBody: true },
      schema: {
        summary: 'End this session, the others, or all',
        description: 'Others and all want a proof of the last five minutes.',
        tags,
        security: bearer,
        body: Type.Object({ scope: Type.Optional(Type.Enum(['this', 'others', 'all'])) }, closed),
        response: { 200: Nothing, ...failures(401, 403) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const scope = request.body.scope ?? 'this';
      const { caller } = cluesOf(context, request);
      const ended = await logout(context.signIn, authenticated.access, scope, caller);
      if (!ended.ok) return sendRefusal(reply, ended);
      const message = logoutMessage(scope, ended.count, ended.userIsActive);
      return { success: true as const, message, data: {} };
    },
  );
}
