import { Type } from 'typebox';
import { refuseField } from '../kernel/errors.ts';
import type { SignedIn as SignedInOutcome } from '../signin/signed-in.ts';
import { type Finished as FinishedOutcome, finishVerification } from '../signin/finish-verification.ts';
import { isOfSession, type ResetGranted as ResetGrantedOutcome, verifyCode } from '../signin/verify-code.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authenticate, cluesOf } from './context.ts';
import {
  addressFields,
  closed,
  device,
  failures,
  fields,
  Finished,
  ResetGranted,
  SignedIn,
} from './schemas.ts';

/** Who proves what; both dialects take the same. */
export const verifyCodeBody = Type.Object(
  {
    verification_code: Type.Optional(fields.code),
    code: Type.Optional(fields.code),
    otp: Type.Optional(fields.code),
    verification_id: Type.Optional(fields.verificationId),
    ...addressFields,
    tenant: Type.Optional(fields.tenant),
    first_name: Type.Optional(fields.name),
    last_name: Type.Optional(fields.name),
    username: Type.Optional(fields.username),
    device: Type.Optional(device),
    style: Type.Optional(fields.style),
  },
  closed,
);

/** How a sign-in is answered, whatever the proof was. */
export function signedInBody(outcome: SignedInOutcome) {
  const { tenant, tokens, user, session, isNewUser, setPassword } = outcome;
  return {
    success: true as const,
    message: isNewUser ? 'Account created. You are signed in.' : 'You are signed in.',
    ...tokens,
    user,
    tenant: { id: tenant.id, slug: tenant.slug, name: tenant.name },
    session,
    is_new_user: isNewUser,
    ...(setPassword ? { next_action: 'SET_PASSWORD', reset_token: setPassword.resetToken } : {}),
  };
}

/** How a proved recovery is answered. */
function resetGrantedBody(outcome: ResetGrantedOutcome) {
  const { tenant, user, resetToken, resetExpiresIn } = outcome;
  return {
    success: true as const,
    message: 'Address proved. Set a new password.',
    reset_token: resetToken,
    token_type: 'Bearer' as const,
    expires_in: resetExpiresIn,
    next_action: 'RESET_PASSWORD' as const,
    user,
    tenant: { id: tenant.id, slug: tenant.slug, name: tenant.name },
    is_new_user: false as const,
  };
}

/** How a verification that a session began is answered. */
function finishedBody({ purpose, user, proof }: FinishedOutcome) {
  return {
    success: true as const,
    message: purpose === 'link' ? 'The address belongs to your account now.' : 'It is you.',
    user,
    ...(proof ? { proof: { method: proof.method, expires_in: proof.expiresIn } } : {}),
  };
}

/** The code of a request, under whichever of its names; undefined unless it is given exactly once. */
export function codeOf(body: {
  verification_code?: string;
  code?: string;
  otp?: string;
}): string | undefined {
  const given = [body.verification_code, body.code, body.otp].filter((value) => value !== undefined);
  return given.length === 1 ? given[0] : undefined;
}

/** POST /api/v1/auth/verify-code */
export function verifyCodeRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/verify-code',
    {
      config: { idempotent: true, tenantBy: 'handle' },
      // Two shapes of 200 would make the generated serialiser validate each answer to choose; plain JSON is faster.
      serializerCompiler: () => JSON.stringify,
      schema: {
        summary: 'Prove an address with its code: signs in, and makes the account the first time',
        description:
          'The code may be called `verification_code`, `code` or `otp`. Give the `verification_id` of the send, or the address alone. A code of a forgotten password is answered with a reset token instead of a session; one of a step-up or of a new address wants the Bearer of the session that began it.',
        tags: ['sign in'],
        body: verifyCodeBody,
        response: {
          200: Type.Union([SignedIn, ResetGranted, Finished]),
          201: SignedIn,
          ...failures(401, 403, 404, 409, 410, 422, 429),
        },
      },
    },
    async (request, reply) => {
      const { verification_code: _verificationCode, code: _code, otp: _otp, ...rest } = request.body;
      const code = codeOf(request.body);
      if (code === undefined) {
        return sendRefusal(
          reply,
          refuseField('/verification_code', 'Give the code once, as verification_code.'),
        );
      }
      const { verification_id: verificationId } = rest;
      if (verificationId !== undefined && isOfSession(context.signIn, verificationId)) {
        const authenticated = await authenticate(context, request);
        if (!authenticated.ok) return sendRefusal(reply, authenticated);
        const { access } = authenticated;
        const clues = cluesOf(context, request);
        const finished = await finishVerification(context.signIn, access, { verificationId, code }, clues);
        return finished.ok ? finishedBody(finished) : sendRefusal(reply, finished);
      }
      const outcome = await verifyCode(context.signIn, { ...rest, code }, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      if ('resetToken' in outcome) return reply.code(200).send(resetGrantedBody(outcome));
      return reply.code(outcome.isNewUser ? 201 : 200).send(signedInBody(outcome));
    },
  );
}
