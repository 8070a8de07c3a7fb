import { Type } from 'typebox';
import { completeTelegramLogin, startTelegramLogin } from '../signin/telegram-login.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { closed, device, failures, fields, SignedIn } from './schemas.ts';
import { AddressLinked, addressLinkedBody, askerOf } from './telegram-links.ts';
import { signedInBody } from './verify-code.ts';

const Started = Type.Object(
  {
    success: Type.Literal(true),
    message: Type.String(),
    login_id: Type.String({ description: 'Secret of this browser: never in a link, never shown.' }),
    authorization_url: Type.String({ description: 'Where the browser goes: Telegram itself.' }),
    expires_in: Type.Integer({ description: 'Seconds this sign-in lives.' }),
  },
  { description: 'A sign-in that waits for Telegram to lead the browser back.' },
);

/** POST /api/v1/auth/telegram/oidc, and what follows with the login_id */
export function telegramLoginRoutes(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/telegram/oidc',
    {
      config: { tenantBy: 'bearer' },
      schema: {
        summary: 'Sign in at Telegram itself: begin (OpenID Connect)',
        description:
          'Keep `login_id` in this browser and send it to `authorization_url`. Telegram leads it back to `redirect_uri`, which the tenant has named in `telegram_sign_in.return_addresses`. With a Bearer token it adds the Telegram account to the signed-in person instead.',
        tags: ['telegram'],
        body: Type.Object(
          {
            redirect_uri: Type.String({ minLength: 1, maxLength: 2000 }),
            tenant: Type.Optional(fields.tenant),
          },
          closed,
        ),
        response: { 200: Started, ...failures(401, 403, 404, 429) },
      },
    },
    async (request, reply) => {
      const asker = await askerOf(context, request);
      if (!asker.ok) return sendRefusal(reply, asker);
      const { redirect_uri: redirectUri, tenant } = request.body;
      const input = {
        redirectUri,
        ...(tenant === undefined ? {} : { tenant }),
        ...(asker.access ? { access: asker.access } : {}),
      };
      const outcome = await startTelegramLogin(context.signIn, input, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return {
        success: true as const,
        message: 'Go on at Telegram; it leads back here.',
        login_id: outcome.loginId,
        authorization_url: outcome.authorizationUrl,
        expires_in: outcome.expiresIn,
      };
    },
  );

  server.post(
    '/api/v1/auth/telegram/oidc/complete',
    {
      config: { tenantBy: 'bearer' },
      serializerCompiler: () => JSON.stringify,
      schema: {
        summary: 'Sign in at Telegram itself: take the session, once, in the browser that began',
        description:
          'Give `login_id` and what Telegram added to `redirect_uri`. Where the person shared the number, it is proved, too.',
        tags: ['telegram'],
        body: Type.Object(
          {
            login_id: Type.String({ minLength: 1, maxLength: 4096 }),
            code: Type.String({ minLength: 1, maxLength: 2048 }),
            state: Type.String({ minLength: 1, maxLength: 256 }),
            iss: Type.Optional(
              Type.String({ maxLength: 256, description: 'If Telegram sent one (RFC 9207).' }),
            ),
            device: Type.Optional(device),
            style: Type.Optional(fields.style),
          },
          closed,
        ),
        response: {
          200: Type.Union([SignedIn, AddressLinked]),
          201: SignedIn,
          ...failures(401, 403, 404, 409, 410, 429),
        },
      },
    },
    async (request, reply) => {
      const asker = await askerOf(context, request);
      if (!asker.ok) return sendRefusal(reply, asker);
      const { login_id: loginId, ...rest } = request.body;
      const input = { ...rest, loginId, ...(asker.access ? { access: asker.access } : {}) };
      const outcome = await completeTelegramLogin(context.signIn, input, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      if ('linked' in outcome) return reply.code(200).send(addressLinkedBody(outcome));
      return reply.code(outcome.isNewUser ? 201 : 200).send(signedInBody(outcome));
    },
  );
}
