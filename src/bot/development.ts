import { Type } from 'typebox';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { refuse } from '../kernel/errors.ts';
import { failures } from '../web/schemas.ts';
import { sendRefusal } from '../web/server.ts';
import type { WebhookOptions } from './webhook.ts';

/** POST /dev/telegram/updates: a simulated Telegram brings the bot an update. Registered in development mode only. */
export function developmentRoute(
  server: FastifyInstance,
  options: WebhookOptions & { settled: () => Promise<void>; random: () => number },
): void {
  server.withTypeProvider<TypeBoxTypeProvider>().post(
    '/dev/telegram/updates',
    {
      schema: {
        summary: 'Bring the simulated Telegram bot an update (development mode only)',
        description:
          'An Update as the Bot API would send it, for the tenant of `X-Tenant` or `default`; one whose `update_id` came before does nothing, and one without counts as new. Answers of the bot are messages of channel `telegram` in the development inbox, addressed to the chat id.',
        tags: ['development'],
        body: Type.Object({
          update_id: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
        }),
        response: { 200: Type.Object({ ok: Type.Literal(true) }), ...failures(404) },
      },
    },
    async (request, reply) => {
      const tenant = options.tenants.resolve({
        header: request.headers['x-tenant'] as string | undefined,
        host: request.headers.host?.toLowerCase().replace(/:\d+$/, ''),
      });
      if (!tenant) return sendRefusal(reply, refuse('TENANT_NOT_FOUND'));
      if (!options.bots.isSimulated(tenant.id)) {
        const advice = 'The bot of this tenant has a token: write to it in Telegram.';
        return sendRefusal(reply, refuse('NOT_FOUND', {}, advice));
      }
      const { update_id = Math.floor(options.random() * Number.MAX_SAFE_INTEGER) } = request.body;
      const handled = await options.receive(tenant, { ...request.body, update_id });
      await options.settled();
      return handled === 'done'
        ? { ok: true as const }
        : sendRefusal(reply, refuse('OVERLOADED', { retry_after: 5 }));
    },
  );
}
