import { Type } from 'typebox';
import { refuse, refuseField } from '../kernel/errors.ts';
import type { ChangedBy, TelegramBot } from '../tenants/tenants.ts';
import { closed, Done, failures } from '../web/schemas.ts';
import { sendRefusal } from '../web/server.ts';
import type { AdminContext, AdminServer } from './admin.ts';
import { ofTenant, reachTenantBySlug } from './reach.ts';

/** What happens to a token that is set. */
export type Introduced =
  | { outcome: 'set'; username: string | undefined }
  | { outcome: 'not_a_token' | 'unknown_token' | 'taken' };

/** The bots of the deployment, as far as an operator changes them. */
export interface AdministeredBots {
  of(tenantId: string): TelegramBot | undefined;
  introduce(tenantId: string, token: string, by: ChangedBy): Promise<Introduced>;
  remove(tenantId: string, by: ChangedBy): Promise<boolean>;
}

/** What is wrong with a token that was not taken. */
export const TOKEN_ADVICE = {
  not_a_token: 'must be a token of BotFather, such as 123456789:AAF…',
  unknown_token: 'is not known to Telegram: ask BotFather for the token of your bot',
  taken: 'is the bot of another tenant; every tenant has its own',
} as const;

const path = '/api/v1/admin/tenants/:slug/telegram-bot';
const orNull = Type.Union([Type.String(), Type.Null()]);
const Bot = Type.Object({
  success: Type.Literal(true),
  telegram_bot: Type.Object({
    id: Type.String(),
    username: orNull,
    is_configured: Type.Boolean({ description: 'Its token stands in the configuration of the server.' }),
  }),
});

/** GET, PUT and DELETE /api/v1/admin/tenants/{slug}/telegram-bot. No answer ever holds a token. */
export function telegramBotRoutes(server: AdminServer, context: AdminContext): void {
  const { bots } = context;

  server.get(
    path,
    {
      schema: {
        summary: 'The Telegram bot of a tenant',
        ...ofTenant,
        response: { 200: Bot, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachTenantBySlug(context, request, reply);
      if (!reached) return reply;
      const bot = bots.of(reached.tenant.id);
      return bot ? answerOf(bot) : sendRefusal(reply, refuse('NOT_FOUND', {}, 'This tenant has no bot.'));
    },
  );

  server.put(
    path,
    {
      schema: {
        summary: 'Give a tenant its Telegram bot',
        description: 'The token is kept sealed and never shown. Every server runs the bot at once.',
        ...ofTenant,
        body: Type.Object({ token: Type.String({ minLength: 1, maxLength: 100 }) }, closed),
        response: { 200: Bot, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachTenantBySlug(context, request, reply);
      if (!reached) return reply;
      const introduced = await bots.introduce(reached.tenant.id, request.body.token, reached.by);
      if (introduced.outcome !== 'set') {
        return sendRefusal(reply, refuseField('/token', TOKEN_ADVICE[introduced.outcome]));
      }
      const bot = bots.of(reached.tenant.id);
      return bot ? answerOf(bot) : sendRefusal(reply, refuse('NOT_FOUND'));
    },
  );

  server.delete(
    path,
    {
      schema: {
        summary: 'Take the Telegram bot away from a tenant',
        ...ofTenant,
        response: { 200: Done, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const reached = await reachTenantBySlug(context, request, reply);
      if (!reached) return reply;
      const removed = await bots.remove(reached.tenant.id, reached.by);
      return removed
        ? { success: true as const, message: 'The bot is gone.' }
        : sendRefusal(reply, refuse('NOT_FOUND', {}, 'This tenant has no bot of its own.'));
    },
  );
}

function answerOf({ botId, username, configured }: TelegramBot) {
  return {
    success: true as const,
    telegram_bot: { id: botId, username: username ?? null, is_configured: configured },
  };
}
