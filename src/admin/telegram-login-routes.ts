import { Type } from 'typebox';
import { isLoginClientId, isLoginClientSecret } from '../config/telegram-settings.ts';
import { refuse, refuseField } from '../kernel/errors.ts';
import type { TenantTelegramLogin } from '../tenants/tenants.ts';
import { closed, Done, failures } from '../web/schemas.ts';
import { sendRefusal } from '../web/server.ts';
import type { AdminContext, AdminServer } from './admin.ts';
import { ofTenant, reachTenantBySlug } from './reach.ts';

/** What is wrong with a client that was not taken. */
export const LOGIN_ADVICE = {
  client_id: 'must be the Client ID that BotFather shows under Web Login: a number',
  client_secret: 'must be the Client Secret that BotFather shows under Web Login, not the token of the bot',
} as const;

const path = '/api/v1/admin/tenants/:slug/telegram-login';
const Login = Type.Object({
  success: Type.Literal(true),
  telegram_login: Type.Object({
    client_id: Type.String(),
    is_configured: Type.Boolean({ description: 'It stands in the configuration of the server.' }),
  }),
});

/** GET, PUT and DELETE /api/v1/admin/tenants/{slug}/telegram-login. No answer ever holds a secret. */
export function telegramLoginRoutes(server: AdminServer, context: AdminContext): void {
  const { telegramLogins } = context;

  server.get(
    path,
    {
      schema: {
        summary: "A tenant's client of Telegram login",
        ...ofTenant,
        response: { 200: Login, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachTenantBySlug(context, request, reply);
      if (!reached) return reply;
      const login = telegramLogins.of(reached.tenant.id);
      return login
        ? answerOf(login)
        : sendRefusal(reply, refuse('NOT_FOUND', {}, 'This tenant has no client.'));
    },
  );

  server.put(
    path,
    {
      schema: {
        summary: 'Give a tenant its client of Telegram login',
        description: 'The secret is kept sealed and never shown.',
        ...ofTenant,
        body: Type.Object(
          {
            client_id: Type.String({ minLength: 1, maxLength: 16 }),
            client_secret: Type.String({ minLength: 1, maxLength: 200 }),
          },
          closed,
        ),
        response: { 200: Login, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachTenantBySlug(context, request, reply);
      if (!reached) return reply;
      const { client_id: clientId, client_secret: clientSecret } = request.body;
      if (!isLoginClientId(clientId))
        return sendRefusal(reply, refuseField('/client_id', LOGIN_ADVICE.client_id));
      if (!isLoginClientSecret(clientSecret)) {
        return sendRefusal(reply, refuseField('/client_secret', LOGIN_ADVICE.client_secret));
      }
      await telegramLogins.set(reached.tenant.id, { clientId, clientSecret }, reached.by);
      return answerOf({ clientId, configured: false });
    },
  );

  server.delete(
    path,
    {
      schema: {
        summary: 'Take the client of Telegram login away from a tenant',
        ...ofTenant,
        response: { 200: Done, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachTenantBySlug(context, request, reply);
      if (!reached) return reply;
      const removed = await telegramLogins.remove(reached.tenant.id, reached.by);
      return removed
        ? { success: true as const, message: 'The client is gone.' }
        : sendRefusal(reply, refuse('NOT_FOUND', {}, 'This tenant has no client of its own.'));
    },
  );
}

function answerOf({ clientId, configured }: Pick<TenantTelegramLogin, 'clientId' | 'configured'>) {
  return {
    success: true as const,
    telegram_login: { client_id: clientId, is_configured: configured },
  };
}
