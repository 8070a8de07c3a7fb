import { Type } from 'typebox';
import { refuseField } from '../kernel/errors.ts';
import { type SignedIn as SignedInOutcome, verifyCode } from '../signin/verify-code.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { addressFields, closed, failures, fields, SignedIn } from './schemas.ts';

const device = Type.Object(
  {
    name: Type.Optional(fields.deviceName),
    kind: Type.Optional(Type.Enum(['browser', 'app', 'telegram', 'server'])),
  },
  closed,
);

const body = Type.Object(
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
  const { tenant, tokens, user, session, isNewUser } = outcome;
  return {
    success: true as const,
    message: isNewUser ? 'Account created. You are signed in.' : 'You are signed in.',
    ...tokens,
    user,
    tenant: { id: tenant.id, slug: tenant.slug, name: tenant.name },
    session,
    is_new_user: isNewUser,
  };
}

/** POST /api/v1/auth/verify-code */
export function verifyCodeRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/verify-code',
    {
      schema: {
        summary: 'Prove an address with its code: signs in, and makes the account the first time',
        description:
          'The code may be called `verification_code`, `code` or `otp`. Give the `verification_id` of the send, or the address alone.',
        tags: ['sign in'],
        body,
        response: { 200: SignedIn, 201: SignedIn, ...failures(401, 403, 404, 410, 429) },
      },
    },
    async (request, reply) => {
      const { verification_code, code, otp, ...rest } = request.body;
      const [given, ...others] = [verification_code, code, otp].filter((value) => value !== undefined);
      if (given === undefined || others.length > 0) {
        return sendRefusal(
          reply,
          refuseField('/verification_code', 'Give the code once, as verification_code.'),
        );
      }
      const outcome = await verifyCode(context.signIn, { ...rest, code: given }, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return reply.code(outcome.isNewUser ? 201 : 200).send(signedInBody(outcome));
    },
  );
}
