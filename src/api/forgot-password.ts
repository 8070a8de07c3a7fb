import { Type } from 'typebox';
import { forgotPassword } from '../signin/forgot-password.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { bodies, closed, failures, VerificationSent } from './schemas.ts';
import { verificationSentBody } from './send-verification.ts';

/** POST /api/v1/auth/forgot-password */
export function forgotPasswordRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/forgot-password',
    {
      config: { idempotent: true },
      schema: {
        summary: 'Send a code to the address of a forgotten password',
        description: 'verify-code then answers with a reset token, by which reset-password sets a new one.',
        tags: ['password'],
        body: Type.Object(bodies.forgotPassword, closed),
        response: { 200: VerificationSent, ...failures(403, 404, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const outcome = await forgotPassword(context.signIn, request.body, cluesOf(context, request));
      return outcome.ok ? verificationSentBody(outcome) : sendRefusal(reply, outcome);
    },
  );
}
