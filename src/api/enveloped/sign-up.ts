import { Type } from 'typebox';
import { refuseField } from '../../kernel/errors.ts';
import { register } from '../../signin/register.ts';
import { resendOtp } from '../../signin/resend-otp.ts';
import { verifyCode } from '../../signin/verify-code.ts';
import { sendRefusal } from '../../web/server.ts';
import type { ApiServer } from '../api.ts';
import { type ApiContext, cluesOf } from '../context.ts';
import { registeredMessage } from '../register.ts';
import { addressFields, bodies, closed, failures, fields } from '../schemas.ts';
import { codeOf, verifyCodeBody } from '../verify-code.ts';
import { codeSentData, resetGrantedData, signedInData } from './answers.ts';
import { CodeSent, SignedIn } from './schemas.ts';

const tags = ['enveloped'];

/** POST /api/auth/register, /api/auth/verify-otp, /api/auth/resend-otp */
export function signUpRoutes(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/auth/register',
    {
      config: { idempotent: true },
      schema: {
        summary: 'Register: kept until its code is proved',
        tags,
        body: Type.Object(bodies.register, closed),
        response: { 202: CodeSent, ...failures(403, 404, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const outcome = await register(context.signIn, request.body, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return reply.code(202).send({
        success: true as const,
        message: registeredMessage(outcome),
        data: codeSentData(outcome, outcome.address),
      });
    },
  );

  server.post(
    '/api/auth/verify-otp',
    {
      config: { idempotent: true, tenantBy: 'handle' },
      schema: {
        summary: 'Prove an address with its code',
        description:
          '201: the account was made. 200: signed in, or, for a forgotten password, `data.token` sets a new one.',
        tags,
        body: verifyCodeBody,
        response: { 200: SignedIn, 201: SignedIn, ...failures(401, 403, 404, 409, 410, 422, 429) },
      },
    },
    async (request, reply) => {
      const { verification_code: _verificationCode, code: _code, otp: _otp, ...rest } = request.body;
      const code = codeOf(request.body);
      if (code === undefined) return sendRefusal(reply, refuseField('/otp', 'Give the code once, as otp.'));
      const outcome = await verifyCode(context.signIn, { ...rest, code }, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      if ('resetToken' in outcome) {
        const data = resetGrantedData(outcome);
        return reply.code(200).send({ success: true as const, message: 'OTP verified successfully!', data });
      }
      return reply.code(outcome.isNewUser ? 201 : 200).send({
        success: true as const,
        message: outcome.isNewUser ? 'Registration completed successfully!' : 'OTP verified successfully!',
        data: signedInData(outcome),
      });
    },
  );

  server.post(
    '/api/auth/resend-otp',
    {
      config: { idempotent: true, tenantBy: 'handle' },
      schema: {
        summary: 'Send the code again',
        tags,
        body: Type.Object(
          {
            verification_id: Type.Optional(fields.verificationId),
            ...addressFields,
            channel: Type.Optional(fields.channel),
            locale: Type.Optional(fields.locale),
            tenant: Type.Optional(fields.tenant),
          },
          closed,
        ),
        response: { 200: CodeSent, ...failures(403, 404, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const outcome = await resendOtp(context.signIn, request.body, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      const { email, phone } = request.body;
      return {
        success: true as const,
        message: `Verification code sent to your ${outcome.channel === 'email' ? 'email' : 'phone'}.`,
        data: {
          ...codeSentData(outcome, undefined),
          ...(email === undefined ? {} : { email }),
          ...(phone === undefined ? {} : { phone }),
        },
      };
    },
  );
}
