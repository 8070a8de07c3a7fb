import { Type } from 'typebox';
import { readChallenge } from '../signin/prove-work.ts';
import { challengeFields } from '../web/schemas.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { failures } from './schemas.ts';

const Put = Type.Object(
  {
    success: Type.Literal(true),
    required: Type.Boolean({ description: 'Would the next code that you ask for want its solution?' }),
    ...challengeFields,
    expires_in: Type.Integer({ description: 'Seconds within which its solution counts, once.' }),
  },
  { description: 'A challenge for whoever asks, and for nobody else.' },
);

/** GET /api/v1/auth/challenge */
export function challengeRoute(server: ApiServer, context: ApiContext): void {
  server.get(
    '/api/v1/auth/challenge',
    {
      schema: {
        summary: 'A proof of work to solve ahead, instead of after PROOF_OF_WORK_REQUIRED',
        tags: ['sign in'],
        response: { 200: Put, ...failures() },
      },
    },
    async (request) => {
      const clues = cluesOf(context, request);
      const { isRequired, expiresIn, ...put } = await readChallenge(context.signIn, clues);
      return { success: true as const, required: isRequired, ...put, expires_in: expiresIn };
    },
  );
}
