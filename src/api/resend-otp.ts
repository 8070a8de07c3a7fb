import { Type } from 'typebox';
import { resendOtp } from '../signin/resend-otp.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { addressFields, closed, failures, fields, VerificationSent } from './schemas.ts';
import { verificationSentBody } from './send-verification.ts';

const body = Type.Object(
  {
    verification_id: Type.Optional(fields.verificationId),
    ...addressFields,
    channel: Type.Optional(fields.channel),
    locale: Type.Optional(fields.locale),
    tenant: Type.Optional(fields.tenant),
  },
  closed,
);

/** POST /api/v1/auth/resend-otp */
export function resendOtpRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/resend-otp',
    {
      config: { idempotent: true, tenantBy: 'handle' },
      schema: {
        summary: 'Send the code again: the same one while it lives, then a fresh one',
        tags: ['sign in'],
        body,
        response: { 200: VerificationSent, ...failures(403, 404, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const outcome = await resendOtp(context.signIn, request.body, cluesOf(context, request));
      return outcome.ok ? verificationSentBody(outcome) : sendRefusal(reply, outcome);
    },
  );
}
