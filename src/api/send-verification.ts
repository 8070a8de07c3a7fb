import { Type } from 'typebox';
import { sendVerification, type VerificationSent as Sent } from '../signin/send-verification.ts';
import { sendRefusal } from '../web/server.ts';
import { type ApiContext, cluesOf } from './context.ts';
import type { ApiServer } from './api.ts';
import { addressFields, closed, failures, fields, VerificationSent } from './schemas.ts';

const body = Type.Object(
  {
    ...addressFields,
    channel: Type.Optional(fields.channel),
    locale: Type.Optional(fields.locale),
    tenant: Type.Optional(fields.tenant),
  },
  closed,
);

const CHANNEL_WORDS: Record<string, string> = {
  sms: 'by SMS',
  email: 'by e-mail',
  telegram: 'in Telegram',
  voice: 'by a call',
};

/** How a sent code is answered, first or again. */
export function verificationSentBody(sent: Sent) {
  return {
    success: true as const,
    message: `Verification code sent ${CHANNEL_WORDS[sent.channel] ?? ''} to ${sent.destination}.`,
    ...(sent.verificationId === undefined ? {} : { verification_id: sent.verificationId }),
    channel: sent.channel,
    destination: sent.destination,
    code_length: sent.codeLength,
    expires_in: sent.expiresIn,
    resend_in: sent.resendIn,
    attempts_left: sent.attemptsLeft,
  };
}

/** POST /api/v1/auth/send-verification */
export function sendVerificationRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/send-verification',
    {
      config: { idempotent: true },
      schema: {
        summary: 'Send a code to a phone, an e-mail address or a Telegram account',
        tags: ['sign in'],
        body,
        response: { 200: VerificationSent, ...failures(403, 404, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const outcome = await sendVerification(context.signIn, request.body, cluesOf(context, request));
      return outcome.ok ? verificationSentBody(outcome) : sendRefusal(reply, outcome);
    },
  );
}
