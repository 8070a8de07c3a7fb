import { Type } from 'typebox';
import { stepUp } from '../signin/step-up.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authenticate, cluesOf } from './context.ts';
import { bearer, closed, failures, fields, VerificationSent } from './schemas.ts';
import { verificationSentBody } from './send-verification.ts';

const SteppedUp = Type.Object(
  {
    success: Type.Literal(true),
    message: Type.String(),
    proof: Type.Object({
      method: Type.String(),
      expires_in: Type.Integer({ description: 'Seconds for which it counts.' }),
    }),
  },
  { description: 'The session was proved once more.' },
);

/** POST /api/v1/auth/step-up */
export function stepUpRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/step-up',
    {
      serializerCompiler: () => JSON.stringify,
      config: { optionalBody: true },
      schema: {
        summary: 'Prove again who is at this session',
        description:
          'Sends a code to an address of the account (identity_id, else the first that a code can reach), to be finished by verify-code with the same Bearer; or compares the password at once. A proof counts for five minutes.',
        tags: ['account'],
        security: bearer,
        body: Type.Object(
          {
            identity_id: Type.Optional(Type.String({ maxLength: 36 })),
            channel: Type.Optional(fields.channel),
            locale: Type.Optional(fields.locale),
            password: Type.Optional(fields.password),
          },
          closed,
        ),
        response: { 200: Type.Union([VerificationSent, SteppedUp]), ...failures(401, 403, 404, 409, 429) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const clues = cluesOf(context, request);
      const outcome = await stepUp(context.signIn, authenticated.access, request.body, clues);
      if (!outcome.ok) return sendRefusal(reply, outcome);
      if (!('method' in outcome)) return verificationSentBody(outcome);
      const proof = { method: outcome.method, expires_in: outcome.expiresIn };
      return { success: true as const, message: 'It is you.', proof };
    },
  );
}
