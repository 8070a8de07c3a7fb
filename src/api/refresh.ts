import { Type } from 'typebox';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { closed, failures, fields, tokenFields } from './schemas.ts';

/** POST /api/v1/auth/refresh */
export function refreshRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/refresh',
    {
      schema: {
        summary: 'Exchange a refresh token for a new pair',
        description:
          'Each refresh token works once. Within ten seconds of its use it is answered with the same new pair again, as an answer may have been lost; later it counts as stolen and ends the session.',
        tags: ['sessions'],
        body: Type.Object({ refresh_token: fields.token }, closed),
        response: {
          200: Type.Object({ success: Type.Literal(true), message: Type.String(), ...tokenFields }),
          ...failures(401, 403),
        },
      },
    },
    async (request, reply) => {
      const clues = cluesOf(context, request);
      const outcome = await context.signIn.sessions.refresh(
        request.body.refresh_token,
        clues.caller,
        clues.tenantHeader,
      );
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return { success: true as const, message: 'Tokens refreshed.', ...outcome.tokens };
    },
  );
}
