import { Type } from 'typebox';
import { secondProof } from '../../signin/second-proof.ts';
import { sendRefusal } from '../../web/server.ts';
import type { ApiServer } from '../api.ts';
import { type ApiContext, cluesOf } from '../context.ts';
import { failures } from '../schemas.ts';
import { secondProofBody } from '../second-proof.ts';
import { codeSentData, signedInData } from './answers.ts';
import { CodeSent, SignedIn } from './schemas.ts';

/** POST /api/auth/second-proof */
export function secondProofRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/auth/second-proof',
    {
      serializerCompiler: () => JSON.stringify,
      schema: {
        summary: 'After SECOND_PROOF_REQUIRED: prove the account in one more way, or begin a new one',
        description: '200: signed in, or a code is on its way. 201: the number began a new account.',
        tags: ['enveloped'],
        body: secondProofBody,
        response: {
          200: Type.Union([CodeSent, SignedIn]),
          201: SignedIn,
          ...failures(401, 403, 404, 409, 429),
        },
      },
    },
    async (request, reply) => {
      const outcome = await secondProof(context.signIn, request.body, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      if (!('tokens' in outcome)) {
        const message = `Verification code sent to your ${outcome.channel === 'email' ? 'email' : 'account'}.`;
        return reply
          .code(200)
          .send({ success: true as const, message, data: codeSentData(outcome, undefined) });
      }
      const message = outcome.isNewUser ? 'Registration completed successfully!' : 'Login successful!';
      return reply
        .code(outcome.isNewUser ? 201 : 200)
        .send({ success: true as const, message, data: signedInData(outcome) });
    },
  );
}
