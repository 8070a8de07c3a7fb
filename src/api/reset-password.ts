import { Type } from 'typebox';
import { resetPassword } from '../signin/reset-password.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, bearerToken, cluesOf } from './context.ts';
import { bearer, bodies, closed, failures, SignedIn } from './schemas.ts';
import { signedInBody } from './verify-code.ts';

/** POST /api/v1/auth/reset-password */
export function resetPasswordRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/reset-password',
    {
      schema: {
        summary: 'Set a new password with a reset token; every other session and every live code ends',
        tags: ['password'],
        security: bearer,
        body: Type.Object(bodies.resetPassword, closed),
        response: { 200: SignedIn, ...failures(401, 403) },
      },
    },
    async (request, reply) => {
      const clues = cluesOf(context, request);
      const outcome = await resetPassword(context.signIn, bearerToken(request), request.body, clues);
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return { ...signedInBody(outcome), message: 'Password changed. You are signed in.' };
    },
  );
}
