import { Type } from 'typebox';
import { issuerOf } from '../sessions/sessions.ts';
import { takeWrongToken } from '../signin/wrong-tokens.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authorise, cluesOf } from './context.ts';
import { apiKey, closed, failures, fields } from './schemas.ts';

const body = Type.Object(
  { token: fields.token, token_type_hint: Type.Optional(Type.String({ maxLength: 64 })) },
  closed,
);

const Introspection = Type.Object(
  {
    active: Type.Boolean(),
    sub: Type.Optional(Type.String()),
    iss: Type.Optional(Type.String()),
    aud: Type.Optional(Type.String()),
    client_id: Type.Optional(Type.String()),
    token_type: Type.Optional(Type.String()),
    exp: Type.Optional(Type.Integer()),
    iat: Type.Optional(Type.Integer()),
    sid: Type.Optional(Type.String()),
    tid: Type.Optional(Type.String()),
    role: Type.Optional(Type.String()),
    market: Type.Optional(Type.String()),
    amr: Type.Optional(Type.Array(Type.String())),
  },
  { description: 'RFC 7662. Nothing but active: false for a token that is not alive.' },
);

/** POST /api/v1/introspect (RFC 7662) and POST /api/v1/revoke (RFC 7009), for services with an API key. */
export function tokenRoutes(server: ApiServer, context: ApiContext): void {
  const { sessions } = context.signIn;

  server.post(
    '/api/v1/introspect',
    {
      schema: {
        summary: 'Is a token alive? (RFC 7662)',
        description:
          'An API key that asks about more than 300 tokens a minute which were never ours, from one network, is answered 429 for further ones. Tokens of ours, alive or not, are answered always.',
        tags: ['services'],
        security: apiKey,
        consumes: ['application/json', 'application/x-www-form-urlencoded'],
        body,
        response: { 200: Introspection, ...failures(401, 403, 429) },
      },
    },
    async (request, reply) => {
      const authorised = await authorise(context, request, 'introspect');
      if (!authorised.ok) return sendRefusal(reply, authorised);
      const result = await sessions.authenticate(request.body.token);
      const { tenantId } = authorised.apiKey;
      if (!result.ok && result.error === 'TOKEN_INVALID') {
        const limited = await takeWrongToken(context.signIn, authorised.apiKey, cluesOf(context, request));
        if (limited) return sendRefusal(reply, limited);
      }
      if (!result.ok || (tenantId !== null && tenantId !== result.access.tenant.id)) return { active: false };
      const { access } = result;
      return {
        active: true,
        sub: access.userId,
        iss: issuerOf(context.publicUrl, access.tenant.slug),
        aud: access.tenant.slug,
        client_id: access.tenant.slug,
        token_type: 'Bearer',
        exp: access.expiresAt,
        iat: access.issuedAt,
        sid: access.sessionId,
        tid: access.tenant.id,
        role: access.role,
        ...(access.tenant.kind === 'market' ? { market: access.tenant.slug } : {}),
        amr: [...access.amr],
      };
    },
  );

  server.post(
    '/api/v1/revoke',
    {
      schema: {
        summary: 'End the session of a token (RFC 7009)',
        tags: ['services'],
        security: apiKey,
        consumes: ['application/json', 'application/x-www-form-urlencoded'],
        body,
        response: {
          200: Type.Object({}, { description: 'Also for a token that nobody knows.' }),
          ...failures(401, 403),
        },
      },
    },
    async (request, reply) => {
      const authorised = await authorise(context, request, 'revoke');
      if (!authorised.ok) return sendRefusal(reply, authorised);
      const { id, tenantId } = authorised.apiKey;
      await sessions.revokeToken(
        request.body.token,
        tenantId,
        `api_key:${id}`,
        cluesOf(context, request).caller,
      );
      return {};
    },
  );
}
