import { Type } from 'typebox';
import { forgotPassword } from '../../signin/forgot-password.ts';
import { login } from '../../signin/login.ts';
import { resetPassword } from '../../signin/reset-password.ts';
import { sendRefusal } from '../../web/server.ts';
import type { ApiServer } from '../api.ts';
import { type ApiContext, bearerToken, cluesOf } from '../context.ts';
import { bearer, bodies, closed, failures } from '../schemas.ts';
import { codeSentData, signedInData } from './answers.ts';
import { CodeSent, SignedIn } from './schemas.ts';

const tags = ['enveloped'];

/** POST /api/auth/login, /api/auth/forgot-password, /api/auth/reset-password */
export function passwordRoutes(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/auth/login',
    {
      config: { idempotent: true },
      schema: {
        summary: 'Sign in with a password',
        tags,
        body: Type.Object(bodies.login, closed),
        response: { 200: SignedIn, ...failures(401, 403, 404, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const outcome = await login(context.signIn, request.body, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return { success: true as const, message: 'Login successful!', data: signedInData(outcome) };
    },
  );

  server.post(
    '/api/auth/forgot-password',
    {
      config: { idempotent: true },
      schema: {
        summary: 'Send a code to the address of a forgotten password',
        tags,
        body: Type.Object(bodies.forgotPassword, closed),
        response: { 200: CodeSent, ...failures(403, 404, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const outcome = await forgotPassword(context.signIn, request.body, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      const { address } = outcome;
      return {
        success: true as const,
        message: `Verification code sent to your ${address.kind === 'email' ? 'email' : 'phone'}.`,
        data: codeSentData(outcome, address),
      };
    },
  );

  server.post(
    '/api/auth/reset-password',
    {
      schema: {
        summary: 'Set a new password with the token of a proved recovery',
        tags,
        security: bearer,
        body: Type.Object(bodies.resetPassword, closed),
        response: { 200: SignedIn, ...failures(401, 403) },
      },
    },
    async (request, reply) => {
      const clues = cluesOf(context, request);
      const outcome = await resetPassword(context.signIn, bearerToken(request), request.body, clues);
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return {
        success: true as const,
        message: 'Password changed successfully!',
        data: signedInData(outcome),
      };
    },
  );
}
