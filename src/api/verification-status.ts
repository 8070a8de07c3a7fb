import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { refuse } from '../kernel/errors.ts';
import { type VerificationStatus, verificationStatus } from '../signin/verification-status.ts';
import { createEventStreams } from '../web/event-stream.ts';
import { createReadLimit } from '../web/read-limit.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { closed, failures, fields } from './schemas.ts';

const orNull = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>>(schema: T) =>
  Type.Union([schema, Type.Null()]);

const Status = Type.Object(
  {
    success: Type.Literal(true),
    channel: Type.String({ description: 'By which the code comes, as far as it has got.' }),
    state: Type.Enum(['queued', 'sending', 'sent', 'delivered', 'failed']),
    next_channel: orNull(Type.String({ description: 'By which it comes next, should nothing arrive.' })),
    next_channel_in: orNull(
      Type.Integer({ description: 'Seconds until then; null: only after a refusal or a failed report.' }),
    ),
    verification_state: Type.Enum(['live', 'used', 'expired', 'exhausted']),
    destination: Type.String({ description: 'The address, masked.' }),
    expires_in: Type.Integer({ description: 'Seconds the code lives.' }),
    resend_in: Type.Integer({ description: 'Seconds until another may be asked for.' }),
    attempts_left: Type.Integer(),
  },
  { description: 'How a code travels.' },
);

/** A page asks once a second at most; several people share an address. */
const READS_AT_ONCE = 60;
const READS_PER_SECOND = 2;
const MOST_STREAMS = 1000;
const MOST_STREAMS_OF_ONE_CALLER = 20;

function bodyOf(status: VerificationStatus) {
  return {
    success: true as const,
    channel: status.channel,
    state: status.state,
    next_channel: status.nextChannel,
    next_channel_in: status.nextChannelIn,
    verification_state: status.verificationState,
    destination: status.destination,
    expires_in: status.expiresIn,
    resend_in: status.resendIn,
    attempts_left: status.attemptsLeft,
  };
}

/** GET /api/v1/auth/verifications/{verification_id}: once, or with Accept: text/event-stream until it is over. */
export function verificationStatusRoute(server: ApiServer, context: ApiContext): void {
  const reads = createReadLimit(READS_AT_ONCE, READS_PER_SECOND, () => performance.now());
  const streams = createEventStreams({ most: MOST_STREAMS, mostOfOne: MOST_STREAMS_OF_ONE_CALLER });
  server.addHook('preClose', (done) => {
    streams.stop();
    done();
  });
  server.get(
    '/api/v1/auth/verifications/:verification_id',
    {
      schema: {
        summary: 'How a code travels: channel, state, what comes next',
        description:
          'With `Accept: text/event-stream` the same as server-sent events: `status` whenever something changes, `end` when it is over. Where a tenant hides who has an account, and for forgotten passwords, the plan and the clock are told instead of what providers report.',
        tags: ['sign in'],
        params: Type.Object({ verification_id: fields.verificationId }, closed),
        querystring: Type.Object({ tenant: Type.Optional(fields.tenant) }, closed),
        response: { 200: Status, ...failures(404, 429) },
      },
    },
    async (request, reply) => {
      const clues = cluesOf(context, request);
      const wait = reads.take(clues.caller.bucket);
      if (wait > 0) return sendRefusal(reply, refuse('RATE_LIMITED', { retry_after: wait }));
      const { verification_id } = request.params;
      const { tenant } = request.query;
      const read = () =>
        verificationStatus(
          context.signIn,
          { verification_id, ...(tenant === undefined ? {} : { tenant }) },
          clues,
        );
      const status = await read();
      if (!status.ok) return sendRefusal(reply, status);
      if (!wantsEvents(request)) return bodyOf(status);
      return stream(request, reply, status, read, clues.caller.bucket);
    },
  );

  function stream(
    request: FastifyRequest,
    reply: FastifyReply,
    first: VerificationStatus,
    read: () => ReturnType<typeof verificationStatus>,
    caller: string,
  ): FastifyReply {
    if (!streams.hasRoom(caller)) return sendRefusal(reply, refuse('RATE_LIMITED', { retry_after: 10 }));
    const { signIn } = context;
    const database = signIn.databaseOf(first.tenant.id);
    reply.hijack();
    streams.open(reply.raw, {
      caller,
      headers: reply.getHeaders(),
      async next() {
        const status = await read();
        if (!status.ok) return undefined;
        return { data: bodyOf(status), isLast: isFinal(status), changesIn: status.changesIn };
      },
      subscribe: (changed) => signIn.delivery.watch(database, first.id, changed),
    });
    return reply;
  }
}

/** Nothing will change any more, or nothing that the person waits for. */
function isFinal({ verificationState, state, nextChannel }: VerificationStatus): boolean {
  return (
    verificationState !== 'live' || state === 'delivered' || (state === 'failed' && nextChannel === null)
  );
}

function wantsEvents(request: FastifyRequest): boolean {
  return /(?:^|,)\s*text\/event-stream\s*(?:;|,|$)/i.test(request.headers.accept ?? '');
}
