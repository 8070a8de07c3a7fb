import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Claim, parseIdempotencyKey } from '../idempotency/idempotency.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import type { RequestClues } from '../signin/context.ts';
import { createReadLimit } from '../web/read-limit.ts';
import { sendRefusal } from '../web/server.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { namedTenant } from './named-tenant.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route heeds Idempotency-Key. */
    idempotent?: boolean;
  }
  interface FastifyRequest {
    /** This request is the one that answers its Idempotency-Key. */
    idempotencyClaim: Claim | undefined;
  }
}

/** Each key costs a row: nobody needs so many. At once, and then so many a second, on each server. */
const KEYS_AT_ONCE = 60;
const KEYS_PER_SECOND = 5;
/** What is in progress is mostly over in less. */
const ASK_AGAIN_SECONDS = 1;

/**
 * Makes every route with `config.idempotent` heed the header Idempotency-Key
 * (draft-ietf-httpapi-idempotency-key-header): the same request sent again by the same caller is not done again but
 * answered as the first time, for a day. Must be called before those routes are registered; requests without the
 * header are not touched.
 */
export function heedIdempotencyKeys(server: FastifyInstance, context: ApiContext): void {
  const keys = createReadLimit(KEYS_AT_ONCE, KEYS_PER_SECOND, () => performance.now());
  server.decorateRequest('idempotencyClaim', undefined);

  async function begin(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const header = request.headers['idempotency-key'];
    if (typeof header !== 'string') return undefined;
    const key = parseIdempotencyKey(header);
    if (key === undefined) return sendRefusal(reply, MALFORMED);
    // An unknown tenant: the route will say so.
    const tenant = namedTenant(context, request);
    if (!tenant) return undefined;
    const { caller } = cluesOf(context, request);
    const wait = keys.take(caller.bucket);
    if (wait > 0) return sendRefusal(reply, refuse('RATE_LIMITED', { retry_after: wait }));
    const begun = await context.idempotency.begin(context.signIn.databaseOf(tenant.id), {
      tenantId: tenant.id,
      scope: [request.routeOptions.url ?? '', ...callerOf(request, caller)],
      key,
      body: request.body as object,
    });
    switch (begun.state) {
      case 'claimed':
        request.idempotencyClaim = begun.claim;
        return undefined;
      case 'in_progress':
        return sendRefusal(reply, refuse('IDEMPOTENCY_KEY_IN_USE', { retry_after: ASK_AGAIN_SECONDS }));
      case 'other_body':
        return sendRefusal(reply, refuse('IDEMPOTENCY_KEY_REUSED'));
      case 'answered': {
        const { status, body } = begun.answer;
        if (status === 401) reply.header('www-authenticate', 'Bearer');
        return reply
          .code(status)
          .header('idempotency-replayed', 'true')
          .type('application/json; charset=utf-8')
          .send(body);
      }
    }
  }

  function finish(
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    done: (error: null, payload: unknown) => void,
  ): void {
    const claim = request.idempotencyClaim;
    if (claim === undefined) return done(null, payload);
    request.idempotencyClaim = undefined;
    const body = typeof payload === 'string' ? payload : '';
    context.idempotency
      .finish(claim, { status: reply.statusCode, body })
      // The answer is true whether it could be kept or not; the lease ends by itself.
      .catch((error: unknown) =>
        context.signIn.log.warn({ event: 'answer_not_kept', error }, 'an answer was not kept for its key'),
      )
      .finally(() => done(null, payload));
  }

  server.addHook('onRoute', (route) => {
    if (!route.config?.idempotent) return;
    route.preHandler = [...[route.preHandler ?? []].flat(), begin];
    route.onSend = [...[route.onSend ?? []].flat(), finish];
  });
}

const MALFORMED: Refused = refuse('INVALID_REQUEST', {
  issues: [
    { path: 'header:idempotency-key', message: 'Give 1 to 255 visible ASCII characters, such as a UUID.' },
  ],
});

/** By what a caller is the same again: its token, else the device it has proved to be, else its network. */
function callerOf(request: FastifyRequest, caller: RequestClues['caller']): [string, string] {
  const { authorization } = request.headers;
  if (authorization !== undefined) return ['token', authorization];
  return caller.deviceId === undefined ? ['network', caller.bucket] : ['device', caller.deviceId];
}

/** For the OpenAPI document: the header that these routes take. */
export const idempotencyHeader = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      description:
        'A new random key, such as a UUID, for each new request: sent again with the same body within a day, the request is answered as the first time and not done again.',
    },
  },
};
