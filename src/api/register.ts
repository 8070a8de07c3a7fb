import { Type } from 'typebox';
import { register, type Registered as RegisteredOutcome } from '../signin/register.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { bodies, closed, failures, Registered } from './schemas.ts';
import { verificationSentBody } from './send-verification.ts';

/** The sentence that front ends of sign-up forms expect. */
export function registeredMessage(outcome: RegisteredOutcome): string {
  const where = outcome.address.kind === 'email' ? 'email' : 'phone';
  return `Verification code sent to your ${where}. Please verify to complete registration.`;
}

/** The address as its owner wrote it. */
export function addressData(address: RegisteredOutcome['address']): { email?: string; phone?: string } {
  return address.kind === 'email' ? { email: address.asEntered } : { phone: address.value };
}

/** POST /api/v1/auth/register */
export function registerRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/register',
    {
      config: { idempotent: true },
      schema: {
        summary: 'Register an e-mail address or a phone: kept until its code is proved, for 24 hours at most',
        description:
          'No account is made before the proof. Registering again with the same verification_id, or the same password, changes what waits.',
        tags: ['sign up'],
        body: Type.Object(bodies.register, closed),
        response: { 202: Registered, ...failures(403, 404, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const outcome = await register(context.signIn, request.body, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return reply.code(202).send({
        ...verificationSentBody(outcome),
        message: registeredMessage(outcome),
        data: addressData(outcome.address),
      });
    },
  );
}
