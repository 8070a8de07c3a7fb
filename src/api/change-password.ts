import { Type } from 'typebox';
import { changePassword } from '../signin/change-password.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authenticate, cluesOf } from './context.ts';
import { bearer, closed, Done, failures, fields } from './schemas.ts';

/** POST /api/v1/auth/change-password */
export function changePasswordRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/change-password',
    {
      schema: {
        summary: 'Set a new password; every other session ends',
        description:
          'Wants a proof of the last five minutes: a code, or current_password in the same request. The owner is told.',
        tags: ['password'],
        security: bearer,
        body: Type.Object(
          { new_password: fields.password, current_password: Type.Optional(fields.password) },
          closed,
        ),
        response: { 200: Done, ...failures(401, 403, 429) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const clues = cluesOf(context, request);
      const outcome = await changePassword(context.signIn, authenticated.access, request.body, clues);
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return { success: true as const, message: 'Password changed. Every other session was ended.' };
    },
  );
}
