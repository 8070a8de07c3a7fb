import { Type } from 'typebox';
import { login } from '../signin/login.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { bodies, closed, failures, SignedIn } from './schemas.ts';
import { signedInBody } from './verify-code.ts';

/** POST /api/v1/auth/login */
export function loginRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/login',
    {
      config: { idempotent: true },
      schema: {
        summary: 'Sign in with a password, by e-mail address, phone or username',
        description:
          'Where the address still waits for its proof the code is sent again and the answer is ACCOUNT_NOT_VERIFIED; where nobody has an account, ACCOUNT_NOT_FOUND. A tenant may ask for one answer to all of these (error_detail).',
        tags: ['sign in'],
        body: Type.Object(bodies.login, closed),
        response: { 200: SignedIn, ...failures(401, 403, 404, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const outcome = await login(context.signIn, request.body, cluesOf(context, request));
      return outcome.ok ? signedInBody(outcome) : sendRefusal(reply, outcome);
    },
  );
}
