import { Type } from 'typebox';
import {
  type AddressLinked as AddressLinkedOutcome,
  completeTelegramLink,
  readTelegramLink,
  startTelegramLink,
} from '../signin/telegram-link.ts';
import { textOf } from '../web/schema-issues.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authenticate, bearerToken, cluesOf } from './context.ts';
import { closed, device, failures, fields, SignedIn, User } from './schemas.ts';
import { signedInBody } from './verify-code.ts';

const seconds = (description: string) => Type.Integer({ description });
const matchNumber = Type.String({
  ...textOf('^\\d{2}$', 'must be the two digits that the browser shows'),
  description: 'Two digits to show beside the link; the bot asks for them.',
});
const params = Type.Object({
  link_id: Type.String({
    minLength: 1,
    maxLength: 128,
    description: 'The secret that the beginning answered.',
  }),
});

const Started = Type.Object(
  {
    success: Type.Literal(true),
    message: Type.String(),
    link_id: Type.String({ description: 'Secret of this browser: never in a link, never shown.' }),
    url: Type.String({ description: 'Opens the bot; to be shown as a button or a QR code.' }),
    match_number: matchNumber,
    expires_in: seconds('Seconds the link lives.'),
    poll_after: seconds('Seconds after which to ask how it stands, unless the question waits.'),
  },
  { description: 'A link that waits to be opened in Telegram.' },
);

const State = Type.Object({
  success: Type.Literal(true),
  state: Type.Enum(['waiting', 'opened', 'confirmed', 'completed', 'denied', 'expired'], {
    description: 'confirmed: complete it now.',
  }),
  match_number: matchNumber,
  expires_in: seconds('Seconds the link lives.'),
  poll_after: seconds('Seconds after which to ask again.'),
});

/** A Telegram account became one of the signed-in person's addresses. */
export const AddressLinked = Type.Object(
  { success: Type.Literal(true), message: Type.String(), user: User },
  { description: 'The Telegram account is linked; the session stays as it is.' },
);

export function addressLinkedBody({ linked }: AddressLinkedOutcome) {
  return { success: true as const, message: 'The Telegram account is linked.', user: linked };
}

/** POST /api/v1/auth/telegram/links, and what follows with the link_id */
export function telegramLinkRoutes(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/telegram/links',
    {
      config: { optionalBody: true, tenantBy: 'bearer' },
      schema: {
        summary: 'Continue with Telegram: begin a sign-in that is confirmed in the bot',
        description:
          'With a Bearer token it links the Telegram account to the signed-in person instead. Show the link and the number; ask for the state; complete it once it is confirmed.',
        tags: ['telegram'],
        body: Type.Object({ tenant: Type.Optional(fields.tenant) }, closed),
        response: { 200: Started, ...failures(401, 403, 404, 429) },
      },
    },
    async (request, reply) => {
      const asker = await askerOf(context, request);
      if (!asker.ok) return sendRefusal(reply, asker);
      const input = { ...request.body, ...(asker.access ? { access: asker.access } : {}) };
      const outcome = await startTelegramLink(context.signIn, input, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return {
        success: true as const,
        message: 'Open the link in Telegram, choose the number shown here, and confirm.',
        link_id: outcome.linkId,
        url: outcome.url,
        match_number: String(outcome.matchNumber),
        expires_in: outcome.expiresIn,
        poll_after: outcome.pollAfter,
      };
    },
  );

  server.get(
    '/api/v1/auth/telegram/links/:link_id',
    {
      schema: {
        summary: 'How a Telegram link stands',
        description:
          'With `wait` (seconds, at most 20) and `seen` (the state known so far) the answer comes when the state changes.',
        tags: ['telegram'],
        params,
        querystring: Type.Object(
          {
            wait: Type.Optional(Type.String(textOf('^([0-9]|1[0-9]|20)$', 'must be seconds from 0 to 20'))),
            seen: Type.Optional(Type.String({ pattern: '^[a-z]{1,20}$' })),
          },
          closed,
        ),
        response: { 200: State, ...failures(404) },
      },
    },
    async (request, reply) => {
      const { wait, seen } = request.query;
      const input = {
        linkId: request.params.link_id,
        ...(wait === undefined ? {} : { wait: Number(wait) }),
        ...(seen === undefined ? {} : { seen }),
      };
      const outcome = await readTelegramLink(context.signIn, input, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return {
        success: true as const,
        state: outcome.state,
        match_number: String(outcome.matchNumber),
        expires_in: outcome.expiresIn,
        poll_after: outcome.pollAfter,
      };
    },
  );

  server.post(
    '/api/v1/auth/telegram/links/:link_id/complete',
    {
      serializerCompiler: () => JSON.stringify,
      config: { optionalBody: true, tenantBy: 'bearer' },
      schema: {
        summary: 'Take the session of a confirmed link, once, in the browser that began it',
        tags: ['telegram'],
        params,
        body: Type.Object({ device: Type.Optional(device), style: Type.Optional(fields.style) }, closed),
        response: {
          200: Type.Union([SignedIn, AddressLinked]),
          201: SignedIn,
          ...failures(401, 403, 404, 409, 410),
        },
      },
    },
    async (request, reply) => {
      const asker = await askerOf(context, request);
      if (!asker.ok) return sendRefusal(reply, asker);
      const input = {
        ...request.body,
        linkId: request.params.link_id,
        ...(asker.access ? { access: asker.access } : {}),
      };
      const outcome = await completeTelegramLink(context.signIn, input, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      if ('linked' in outcome) return reply.code(200).send(addressLinkedBody(outcome));
      return reply.code(outcome.isNewUser ? 201 : 200).send(signedInBody(outcome));
    },
  );
}

/** Who asks, where a Bearer token tells; without one nobody is signed in yet. */
export async function askerOf(context: ApiContext, request: Parameters<typeof bearerToken>[0]) {
  if (bearerToken(request) === undefined) return { ok: true as const, access: undefined };
  return authenticate(context, request);
}
