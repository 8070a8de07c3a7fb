import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ApiContext, authorise, cluesOf } from './context.ts';
import { challengeRoute } from './challenge.ts';
import { changePasswordRoute } from './change-password.ts';
import { registerDeliveryCallbacks } from './delivery-callbacks.ts';
import { type DevelopmentParts, developmentRoutes } from './development.ts';
import { deviceRoutes } from './devices.ts';
import { envelopedRoutes } from './enveloped/enveloped.ts';
import { forgotPasswordRoute } from './forgot-password.ts';
import { healthRoutes } from './health.ts';
import { heedIdempotencyKeys } from './idempotency.ts';
import { identityRoutes } from './identities.ts';
import { loginRoute } from './login.ts';
import { logoutRoute } from './logout.ts';
import { eraseMeRoute } from './erase-me.ts';
import { meRoutes } from './me.ts';
import { notMeRoutes } from './not-me.ts';
import { openApiOptions } from './openapi-options.ts';
import { guardOrigins } from './origins.ts';
import { refreshRoute } from './refresh.ts';
import { registerRoute } from './register.ts';
import { resendOtpRoute } from './resend-otp.ts';
import { reopenAddressesRoutes } from './reopen-addresses.ts';
import { resetPasswordRoute } from './reset-password.ts';
import { sendVerificationRoute } from './send-verification.ts';
import { sessionRoutes } from './session.ts';
import { stepUpRoute } from './step-up.ts';
import { telegramInitDataRoute } from './telegram-init-data.ts';
import { telegramLinkRoutes } from './telegram-links.ts';
import { telegramLoginRoutes } from './telegram-login.ts';
import { telegramChatRoutes } from './telegram-chats.ts';
import { tokenRoutes } from './tokens.ts';
import { signInWaysRoute } from './sign-in-ways.ts';
import { verificationStatusRoute } from './verification-status.ts';
import { tollLedgerRoute } from './toll-ledger.ts';
import { secondProofRoute } from './second-proof.ts';
import { verifyCodeRoute } from './verify-code.ts';
import { wellKnownRoutes } from './well-known.ts';
import { type EncodedText, encodedText, sendEncoded } from '../web/encoded.ts';

/** Not the highest: the first one who asks waits for it. */
const OPENAPI_BROTLI_QUALITY = 5;

export type { ApiContext };
export { authorise, cluesOf, registerDeliveryCallbacks };

/** A server whose routes take their types from their schemas. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A request without a body counts as an empty object. */
    optionalBody?: boolean;
  }
}

/** Registers every route of /api/v1 and its neighbours, and serves the OpenAPI document made from their schemas. */
export async function registerApi(
  fastify: FastifyInstance,
  context: ApiContext,
  development: DevelopmentParts | undefined,
): Promise<void> {
  await fastify.register(swagger, openApiOptions(fastify, context));
  await fastify.register((instance, _options, done) => {
    const server = instance.withTypeProvider<TypeBoxTypeProvider>();
    server.addHook('preValidation', (request, _reply, next) => {
      if (request.body === undefined && request.routeOptions.config.optionalBody) request.body = {};
      next();
    });
    guardOrigins(instance, context);
    heedIdempotencyKeys(instance, context);
    sendVerificationRoute(server, context);
    challengeRoute(server, context);
    signInWaysRoute(server, context);
    verificationStatusRoute(server, context);
    verifyCodeRoute(server, context);
    secondProofRoute(server, context);
    resendOtpRoute(server, context);
    registerRoute(server, context);
    loginRoute(server, context);
    forgotPasswordRoute(server, context);
    resetPasswordRoute(server, context);
    refreshRoute(server, context);
    logoutRoute(server, context);
    sessionRoutes(server, context);
    meRoutes(server, context);
    eraseMeRoute(server, context);
    deviceRoutes(server, context);
    telegramLinkRoutes(server, context);
    telegramInitDataRoute(server, context);
    telegramLoginRoutes(server, context);
    stepUpRoute(server, context);
    changePasswordRoute(server, context);
    identityRoutes(server, context);
    notMeRoutes(server, context);
    reopenAddressesRoutes(server, context);
    tollLedgerRoute(server, context);
    tokenRoutes(server, context);
    telegramChatRoutes(server, context);
    envelopedRoutes(server, context);
    wellKnownRoutes(server, context);
    healthRoutes(server, context);
    if (development) developmentRoutes(server, development);
    // A megabyte: written once, at the first question, and compressed once.
    let document: EncodedText | undefined;
    server.get('/openapi.json', { schema: { hide: true } }, (request, reply) => {
      document ??= encodedText(JSON.stringify(fastify.swagger()), OPENAPI_BROTLI_QUALITY);
      return sendEncoded(
        reply.type('application/json; charset=utf-8'),
        document,
        request.headers['accept-encoding'],
      );
    });
    done();
  });
}
