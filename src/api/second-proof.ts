import { Type } from 'typebox';
import { secondProof } from '../signin/second-proof.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { closed, device, failures, fields, SignedIn, VerificationSent } from './schemas.ts';
import { verificationSentBody } from './send-verification.ts';
import { signedInBody } from './verify-code.ts';

/** One of the ways that SECOND_PROOF_REQUIRED named; both dialects take the same. */
export const secondProofBody = Type.Object(
  {
    token: Type.String({ maxLength: 100, description: 'The second_proof_token of the refusal.' }),
    identity_id: Type.Optional(
      Type.String({ maxLength: 36, description: 'Sends a code to this address of the account.' }),
    ),
    channel: Type.Optional(fields.channel),
    locale: Type.Optional(fields.locale),
    password: Type.Optional(fields.password),
    new_account: Type.Optional(
      Type.Literal(true, {
        description: 'The account is somebody else’s: the number leaves it and begins a new one.',
      }),
    ),
    device: Type.Optional(device),
    style: Type.Optional(fields.style),
  },
  closed,
);

/** POST /api/v1/auth/second-proof */
export function secondProofRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/second-proof',
    {
      // Two shapes of 200, as for verify-code.
      serializerCompiler: () => JSON.stringify,
      schema: {
        summary: 'After SECOND_PROOF_REQUIRED: prove the account in one more way, or begin a new one',
        description:
          'A phone number whose account lay idle does not open it alone: numbers are given to other people. With `identity_id` a code goes to another address of the account, and verify-code signs in with it; `password` signs in at once; `new_account` leaves the account as it is and makes a new one for the number.',
        tags: ['sign in'],
        body: secondProofBody,
        response: {
          200: Type.Union([VerificationSent, SignedIn]),
          201: SignedIn,
          ...failures(401, 403, 404, 409, 429),
        },
      },
    },
    async (request, reply) => {
      const outcome = await secondProof(context.signIn, request.body, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      if (!('tokens' in outcome)) return reply.code(200).send(verificationSentBody(outcome));
      return reply.code(outcome.isNewUser ? 201 : 200).send(signedInBody(outcome));
    },
  );
}
