import { Type } from 'typebox';
import type { Update } from 'grammy/types';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { refuse } from '../kernel/errors.ts';
import type { Tenant, Tenants } from '../tenants/tenants.ts';
import { failures } from '../web/schemas.ts';
import { sendRefusal } from '../web/server.ts';
import type { Bots } from './bots.ts';
import type { Handled } from './router.ts';

const HEADER = 'x-telegram-bot-api-secret-token';
/** Far more than any update, so that a long one never comes back for ever. */
const BODY_LIMIT_BYTES = 1024 * 1024;

export interface WebhookOptions {
  bots: Bots;
  tenants: Tenants;
  receive(tenant: Tenant, update: Update): Promise<Handled>;
}

/** Where Telegram finds a tenant's bot. */
export function webhookPath(slug: string): string {
  return `/telegram/${slug}/webhook`;
}

/**
 * POST /telegram/{tenant}/webhook. Whoever does not know the secret gets 401 before a byte of the body is read, and the
 * same whether the tenant has a bot, or exists (S09; core.telegram.org/bots/api#setwebhook).
 */
export function webhookRoute(server: FastifyInstance, { bots, tenants, receive }: WebhookOptions): void {
  server.post<{ Params: { tenant: string } }>(
    webhookPath(':tenant'),
    {
      bodyLimit: BODY_LIMIT_BYTES,
      schema: {
        summary: 'What people write to a bot, brought by Telegram',
        description:
          'For Telegram alone, which knows the secret of the header `X-Telegram-Bot-Api-Secret-Token`.',
        tags: ['telegram'],
        params: Type.Object({ tenant: Type.String({ maxLength: 63 }) }),
        response: { 200: Type.Object({ ok: Type.Literal(true) }), ...failures(401) },
      },
      onRequest(request, reply, done) {
        if (isTelegram(request)) return done();
        refuseStranger(reply);
      },
      // What cannot be read now cannot be read later either: Telegram need not bring it again.
      errorHandler(error, request, reply): void {
        if (!isTelegram(request)) return refuseStranger(reply);
        if (request.body !== undefined) throw error;
        void reply.code(200).send({ ok: true });
      },
    },
    async (request, reply: FastifyReply) => {
      const tenant = tenants.bySlug(request.params.tenant);
      const update = request.body as Update | undefined;
      if (!tenant || !Number.isSafeInteger(update?.update_id)) return { ok: true };
      const handled = await receive(tenant, update as Update);
      if (handled === 'done') return { ok: true };
      return sendRefusal(reply, refuse('OVERLOADED', { retry_after: 5 }));
    },
  );

  function refuseStranger(reply: FastifyReply): void {
    sendRefusal(reply, refuse('TOKEN_INVALID', {}, 'This is not for you.'));
  }

  function isTelegram(request: FastifyRequest<{ Params: { tenant: string } }>): boolean {
    const tenant = tenants.bySlug(request.params.tenant);
    const names = request.raw.rawHeaders.filter((_, index) => index % 2 === 0);
    const given = names.filter((name) => name.toLowerCase() === HEADER).length;
    const value = request.headers[HEADER];
    const known = bots.isWebhookSecret(tenant && bots.of(tenant.id), typeof value === 'string' ? value : '');
    return known && given === 1;
  }
}
