import type { FastifyInstance, FastifyReply } from 'fastify';
import { type VerificationStatus, verificationStatus } from '../signin/verification-status.ts';
import { createEventStreams, type EventStreams } from '../web/event-stream.ts';
import { html, type Html } from '../web/html.ts';
import { formOf } from './components.ts';
import { findFlow, type NamedFlow } from './flow.ts';
import { cluesFor } from './site.ts';
import { pathTo, type Visit } from './visit.ts';
import { clockIn, fill, fillHtml, type Words } from './words.ts';

/** How a code travels, in the person's language: what the page shows, and what it is told as it changes. */
interface Travel {
  /** On its way, sent, delivered, or not to be delivered. */
  text: string;
  /** Does it move, has it arrived, or has it failed? */
  look: 'moving' | 'done' | 'failed';
  /** Where the code comes next should nothing arrive, with `{time}` left to be filled. */
  next: string | null;
  /** Seconds until then; null: at once. */
  nextIn: number | null;
}

type Channel = keyof Words['channels'];

function channelName(words: Words, channel: string): string {
  return channel in words.channels ? words.channels[channel as Channel] : channel;
}

function travelOf({ words }: Pick<Visit, 'words'>, status: VerificationStatus): Travel {
  const { channel, state, nextChannel, nextChannelIn } = status;
  const isMoving = state === 'queued' || state === 'sending';
  const sentence = isMoving ? words.verify.queued : words.verify[state];
  const next =
    nextChannel === null || state === 'delivered' || (nextChannelIn === null && state !== 'failed')
      ? null
      : fill(nextChannelIn === null ? words.verify.nextNow : words.verify.next, {
          channel: channelName(words, nextChannel),
        });
  return {
    text: fill(sentence, { channel: channelName(words, channel) }),
    look: isMoving ? 'moving' : state === 'failed' ? 'failed' : 'done',
    next,
    nextIn: next === null ? null : nextChannelIn,
  };
}

type TravelRead = Awaited<ReturnType<typeof verificationStatus>>;

/** What became of the code that this page is about. */
export function readTravel(visit: Visit, { flow }: NamedFlow): Promise<TravelRead> {
  return verificationStatus(
    visit.context.signIn,
    { verification_id: flow.handle },
    cluesFor(visit.site, visit.clues, flow.tenant),
  );
}

/**
 * What became of the code: by which channel it went, whether it arrived, and what comes next. Written into the page, so
 * that a reload tells it too; where a script runs, told as it changes. Null once nothing is on its way.
 */
export function travelView(visit: Visit, found: NamedFlow, status: TravelRead): Html | null {
  if (!status.ok || status.verificationState !== 'live') return null;
  const { locale } = visit;
  const { text, look, next, nextIn } = travelOf(visit, status);
  const events = pathTo(visit, '/verify/events', { flow: found.id });
  const time = html`<span class="nowrap" data-next-time>${nextIn === null ? '' : clockIn(locale, nextIn)}</span>`;
  return html`<div class="travel" data-events="${events}" data-next-in="${nextIn ?? ''}"><p class="state" data-look="${look}" role="status" data-travel>${text}</p><p class="small soft" data-next="${next ?? ''}"${next === null && html` hidden`}>${next !== null && fillHtml(next, { time })}</p></div>`;
}

/** The other channels by which the same code may come: a press each. @param current by which it goes now */
export function otherChannels(visit: Visit, { id, flow }: NamedFlow, current: string): Html[] {
  const { context, words } = visit;
  const tenant = context.signIn.tenants.bySlug(flow.tenant);
  // Of a code for an own address the page knows the mask alone.
  if (!tenant || flow.purpose === 'step_up') return [];
  const plan = context.signIn.delivery.planOf(tenant, { kind: flow.kind, value: flow.value }, undefined);
  return plan
    .filter((channel) => channel !== current)
    .map((channel) =>
      formOf(
        visit,
        pathTo(visit, '/verify/resend'),
        { flow: id, channel },
        html`<button class="link" type="submit" data-later>${fill(words.verify.otherChannel, { channel: channelName(words, channel) })}</button>`,
        '',
      ),
    );
}

const MOST_STREAMS = 1000;
const MOST_STREAMS_OF_ONE_CALLER = 20;

/** The streams of the pages of one server; they end when it closes. */
export function createTravelStreams(server: FastifyInstance): EventStreams {
  const streams = createEventStreams({ most: MOST_STREAMS, mostOfOne: MOST_STREAMS_OF_ONE_CALLER });
  server.addHook('preClose', (done) => {
    streams.stop();
    done();
  });
  return streams;
}

/** GET /verify/events: how the code travels, as server-sent events. The cookie opens it, and no address does. */
export async function sendTravel(visit: Visit, streams: EventStreams): Promise<FastifyReply> {
  const { context, reply, clues } = visit;
  const found = findFlow(visit);
  const first = found && (await readTravel(visit, found));
  // 204 tells an EventSource not to come back (HTML, 9.2.3).
  if (!found || !first?.ok) return reply.code(204).send();
  if (!streams.hasRoom(clues.caller.bucket)) return reply.code(204).send();
  const database = context.signIn.databaseOf(first.tenant.id);
  reply.hijack();
  streams.open(reply.raw, {
    caller: clues.caller.bucket,
    headers: reply.getHeaders(),
    async next() {
      const status = await readTravel(visit, found);
      if (!status.ok) return undefined;
      const isLive = status.verificationState === 'live';
      const isLast = !isLive || status.state === 'delivered';
      return { data: { ...travelOf(visit, status), isLive }, isLast, changesIn: status.changesIn };
    },
    subscribe: (changed) => context.signIn.delivery.watch(database, first.id, changed),
  });
  return reply;
}
