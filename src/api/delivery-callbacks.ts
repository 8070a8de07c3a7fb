import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Callback, DeliveryReport } from '../delivery/delivery.ts';
import { refuse } from '../kernel/errors.ts';
import type { Metrics } from '../web/metrics.ts';
import { sendRefusal } from '../web/server.ts';

export interface DeliveryCallbacksOptions {
  callbacks: readonly Callback[];
  /** Writes reports down; repeated, reordered and unknown ones are its to bear. */
  report: (reports: readonly DeliveryReport[]) => Promise<unknown>;
  metrics: Metrics;
  /** Somebody calls who is not the provider, or too late. Never waited for. */
  refused: (provider: string, why: 'forged' | 'stale', request: FastifyRequest) => void;
}

const REFUSALS = {
  forged: refuse('CALLBACK_FORGED'),
  stale: refuse('CALLBACK_STALE'),
  unreadable: refuse('INVALID_REQUEST', {
    issues: [{ path: '', message: 'is not a report as this provider describes it' }],
  }),
} as const;

/**
 * Where providers tell what became of a message. Bodies are taken byte for byte, whatever their type: signatures are
 * over bytes, and nothing of a body is read before its signature was found right (S42).
 */
export async function registerDeliveryCallbacks(
  fastify: FastifyInstance,
  { callbacks, report, metrics, refused }: DeliveryCallbacksOptions,
): Promise<void> {
  const counter = metrics.counter({
    name: 'firstproof_delivery_callbacks_total',
    help: 'Calls of the addresses that providers report to; forged and stale ones are refused unread.',
    labelNames: ['provider', 'outcome'],
  });
  await fastify.register((server, _options, done) => {
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    for (const { path, provider, read } of callbacks) {
      server.route({
        // Some gateways report in the query of a GET.
        method: ['GET', 'POST'],
        url: path,
        schema: { hide: true } as const,
        handler: async (request, reply) => {
          const url = request.raw.url ?? '';
          const mark = url.indexOf('?');
          const outcome = read({
            query: mark < 0 ? '' : url.slice(mark + 1),
            header(name) {
              const value = request.headers[name];
              return typeof value === 'string' ? value : undefined;
            },
            body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
          });
          if (!outcome.ok) {
            counter.inc({ provider, outcome: outcome.why });
            if (outcome.why !== 'unreadable') refused(provider, outcome.why, request);
            return sendRefusal(reply, REFUSALS[outcome.why]);
          }
          await report(outcome.reports);
          counter.inc({ provider, outcome: 'accepted' });
          return reply.code(204).send();
        },
      });
    }
    done();
  });
}
