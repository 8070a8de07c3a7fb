import { Type } from 'typebox';
import { refuseField } from '../kernel/errors.ts';
import type { ChatSession } from '../sessions/sessions.ts';
import {
  authorizationOfChat,
  authorizationOfPhone,
  HOLD_AFTER_MOVE_SECONDS,
  invalidateChat,
} from '../signin/chat-authorization.ts';
import { sendCodeToChat, verifyCodeInChat } from '../signin/prove-in-chat.ts';
import { undoMove } from '../signin/undo-move.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import {
  ChatAuthorization,
  chatParams,
  PhoneAuthorization,
  serviceChat,
  serviceTenant,
} from './chat-schemas.ts';
import type { ApiContext } from './context.ts';
import { apiKey, closed, Done, failures, fields, SignedIn, VerificationSent } from './schemas.ts';
import { verificationSentBody } from './send-verification.ts';
import { codeOf, signedInBody } from './verify-code.ts';

const head = { tags: ['telegram'], security: apiKey };
const CHAT = '/api/v1/telegram/chats/:chat_id';

const SignedInChat = Type.Object({
  ...SignedIn.properties,
  chat: Type.Object({
    chat_id: Type.String(),
    moved_from: Type.Union([Type.String(), Type.Null()], {
      description: 'The chat that the account had before: tell it, and offer it the undo.',
    }),
    move_id: Type.Union([Type.String(), Type.Null()], { description: 'For undo-move, in that chat.' }),
  }),
});

/** The calls of flow C, for a bot that runs elsewhere. It vouches for nothing but in which chat something was typed. */
export function telegramChatRoutes(server: ApiServer, context: ApiContext): void {
  const { signIn } = context;

  server.get(
    '/api/v1/phones/:phone/authorization',
    {
      schema: {
        ...head,
        summary: 'Is the account of this phone signed in anywhere?',
        params: Type.Object({ phone: fields.phone }),
        response: { 200: PhoneAuthorization, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { phone } = request.params;
      const service = await serviceTenant(context, request, phone);
      if (!service.ok) return sendRefusal(reply, service);
      const outcome = await authorizationOfPhone(signIn, service.tenant, phone, service.clues);
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return {
        success: true as const,
        authorized: outcome.authorized,
        phone: outcome.phone,
        user: outcome.user ?? null,
        session: outcome.session ? sessionBody(outcome.session) : null,
      };
    },
  );

  server.post(
    `${CHAT}/send-code`,
    {
      schema: {
        ...head,
        summary: 'Send a code to the phone that was typed in a chat',
        params: chatParams,
        body: Type.Object(
          {
            phone: fields.phone,
            channel: Type.Optional(fields.channel),
            locale: Type.Optional(fields.locale),
          },
          closed,
        ),
        response: { 200: VerificationSent, ...failures(401, 403, 404, 429) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const service = await serviceChat(context, request, request.params.chat_id, body.phone);
      if (!service.ok) return sendRefusal(reply, service);
      const outcome = await sendCodeToChat(signIn, service.chat, body, service.clues);
      return outcome.ok ? verificationSentBody(outcome) : sendRefusal(reply, outcome);
    },
  );

  server.post(
    `${CHAT}/verify`,
    {
      schema: {
        ...head,
        summary: 'Check the code that a chat waits for: signs in, and makes this the chat of the account',
        params: chatParams,
        body: Type.Object(
          {
            verification_code: Type.Optional(fields.code),
            code: Type.Optional(fields.code),
            otp: Type.Optional(fields.code),
            first_name: Type.Optional(fields.name),
            last_name: Type.Optional(fields.name),
            username: Type.Optional(fields.username),
            device_name: Type.Optional(fields.deviceName),
          },
          closed,
        ),
        response: { 200: SignedInChat, 201: SignedInChat, ...failures(401, 403, 404, 410, 429) },
      },
    },
    async (request, reply) => {
      const {
        verification_code: _verificationCode,
        otp: _otp,
        device_name: deviceName,
        ...rest
      } = request.body;
      const service = await serviceChat(context, request, request.params.chat_id);
      if (!service.ok) return sendRefusal(reply, service);
      const code = codeOf(request.body);
      if (code === undefined) {
        return sendRefusal(
          reply,
          refuseField('/verification_code', 'Give the code once, as verification_code.'),
        );
      }
      const chat = { ...service.chat, deviceName };
      const outcome = await verifyCodeInChat(signIn, chat, { ...rest, code }, service.clues);
      if (!outcome.ok) return sendRefusal(reply, outcome);
      const { chatId, movedFrom, moveId } = outcome.chat;
      return reply.code(outcome.isNewUser ? 201 : 200).send({
        ...signedInBody(outcome),
        chat: { chat_id: chatId, moved_from: movedFrom ?? null, move_id: moveId ?? null },
      });
    },
  );

  server.get(
    `${CHAT}/authorization`,
    {
      schema: {
        ...head,
        summary: 'What was proved in this chat, with the token that it holds',
        params: chatParams,
        response: { 200: ChatAuthorization, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const service = await serviceChat(context, request, request.params.chat_id);
      if (!service.ok) return sendRefusal(reply, service);
      const { user, held, movedAt, chatId } = await authorizationOfChat(
        signIn,
        service.tenant,
        service.chat.chatId,
      );
      const heldUntil = movedAt && new Date(movedAt.getTime() + HOLD_AFTER_MOVE_SECONDS * 1000);
      return {
        success: true as const,
        authorized: held !== undefined,
        chat_id: chatId,
        phone: user?.phone ?? null,
        user: user ?? null,
        ...held?.tokens,
        session: held ? sessionBody(held.session) : null,
        moved_at: movedAt?.toISOString() ?? null,
        held_until: heldUntil?.toISOString() ?? null,
      };
    },
  );

  server.delete(
    `${CHAT}/authorization`,
    {
      config: { optionalBody: true },
      schema: {
        ...head,
        summary: 'Sign the account of this chat out, on every device',
        params: chatParams,
        response: { 200: Done, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const service = await serviceChat(context, request, request.params.chat_id);
      if (!service.ok) return sendRefusal(reply, service);
      const { tenant, chat, actor, clues } = service;
      const outcome = await invalidateChat(signIn, { tenant, chatId: chat.chatId, actor }, clues);
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return {
        success: true as const,
        message: `Signed out on every device. Sessions ended: ${outcome.ended}.`,
      };
    },
  );

  server.post(
    `${CHAT}/undo-move`,
    {
      schema: {
        ...head,
        summary: 'The chat that an account left takes it back: once, within 72 hours',
        params: chatParams,
        body: Type.Object({ move_id: Type.String({ maxLength: 64 }) }, closed),
        response: { 200: Done, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const service = await serviceChat(context, request, request.params.chat_id);
      if (!service.ok) return sendRefusal(reply, service);
      const { tenant, chat, clues } = service;
      const move = { tenant, chatId: chat.chatId, moveId: request.body.move_id };
      const outcome = await undoMove(signIn, move, clues);
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return { success: true as const, message: `The move was undone. Sessions ended: ${outcome.ended}.` };
    },
  );
}

function sessionBody(session: ChatSession) {
  return {
    id: session.id,
    device_id: session.device_id,
    created_at: session.created_at.toISOString(),
    expires_at: session.expires_at.toISOString(),
  };
}
