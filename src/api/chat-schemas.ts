import { Type } from 'typebox';
import { refuse, refuseField } from '../kernel/errors.ts';
import type { ProvingChat } from '../signin/prove-in-chat.ts';
import { type RequestClues, telegramBucket } from '../signin/context.ts';
import { type ApiContext, authorise, cluesOf, type FastifyRequest } from './context.ts';
import { tokenFields, User } from './schemas.ts';

/** What a bot that runs elsewhere is told of an account: by phone without a token, by chat with the one it holds. */
const authorization = {
  success: Type.Literal(true),
  authorized: Type.Boolean({ description: 'Is somebody signed in?' }),
  phone: Type.Union([Type.String(), Type.Null()]),
  user: Type.Union([User, Type.Null()]),
  session: Type.Union([
    Type.Object({
      id: Type.String(),
      device_id: Type.String(),
      created_at: Type.String({ format: 'date-time' }),
      expires_at: Type.String({ format: 'date-time' }),
    }),
    Type.Null(),
  ]),
};

export const PhoneAuthorization = Type.Object(authorization, {
  description: 'Whether the account of a phone is signed in anywhere.',
});

export const ChatAuthorization = Type.Object(
  {
    ...authorization,
    chat_id: Type.String(),
    access_token: Type.Optional(tokenFields.access_token),
    token_type: Type.Optional(tokenFields.token_type),
    expires_in: Type.Optional(tokenFields.expires_in),
    session_token: Type.Optional(Type.String()),
    moved_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: "When the account's chat last changed.",
    }),
    held_until: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: 'Until then changes of consequence are better refused: the chat has just changed.',
    }),
  },
  { description: 'What was proved in this chat, with its token.' },
);

export const chatParams = Type.Object({
  chat_id: Type.String({ description: "Of a private chat, hence also the Telegram user's id." }),
});

const CHAT_ID = /^[1-9]\d{0,15}$/;

/** The tenant a key may act for: its own, or with a key of the whole deployment the one that the request names. */
export async function serviceTenant(context: ApiContext, request: FastifyRequest, phone?: string) {
  const authorised = await authorise(context, request, 'service');
  if (!authorised.ok) return authorised;
  const { id, tenantId } = authorised.apiKey;
  const { tenants } = context.signIn;
  const clues = cluesOf(context, request);
  const own = tenantId === null ? undefined : tenants.byId(tenantId);
  const named = { header: clues.tenantHeader, host: clues.host };
  const tenant = own ?? tenants.resolve(phone === undefined ? named : { ...named, phone });
  const isOther = own !== undefined && clues.tenantHeader !== undefined && clues.tenantHeader !== own.slug;
  if (!tenant || isOther || (tenantId !== null && !own)) return refuse('TENANT_NOT_FOUND');
  return { ok: true as const, tenant, actor: `api_key:${id}`, clues };
}

/** The same with the chat of the path. All chats of a bot come from one address: each has its own budget. */
export async function serviceChat(
  context: ApiContext,
  request: FastifyRequest,
  chatId: string,
  phone?: string,
) {
  const service = await serviceTenant(context, request, phone);
  if (!service.ok) return service;
  // Groups have negative ids: whoever writes there is not the chat (C6).
  if (!CHAT_ID.test(chatId)) return refuseField('chat_id', 'is not the id of a private chat');
  const { tenant, actor } = service;
  const bucket = telegramBucket(tenant.id, chatId);
  const clues: RequestClues = {
    ...service.clues,
    tenantHeader: tenant.slug,
    caller: { ...service.clues.caller, bucket, userAgent: 'Telegram' },
  };
  const chat: ProvingChat = { tenant, chatId };
  return { ok: true as const, tenant, actor, clues, chat };
}
