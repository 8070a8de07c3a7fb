import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { cookieName, readCookie } from '../web/cookies.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type Access, type ApiContext, authenticate, bearerToken, type FastifyRequest } from './context.ts';
import type { Authenticated } from '../sessions/sessions.ts';
import { bearer, failures } from './schemas.ts';

/** The cookie that carries an opaque session token on the hosted pages; those below /t/<slug> add the slug. */
const SESSION_COOKIE = 'firstproof';

const Session = Type.Object(
  {
    active: Type.Literal(true),
    user_id: Type.String(),
    tenant: Type.String(),
    session_id: Type.String(),
    device_id: Type.String(),
    role: Type.String(),
    market: Type.Optional(Type.String()),
    expires_at: Type.String({ format: 'date-time' }),
  },
  { description: 'The session is alive.' },
);

/** The answer depends on the token alone, so it is written once for each verified token. */
const bodies = new WeakMap<Access, string>();

function sessionBody(access: Access): string {
  let body = bodies.get(access);
  if (body === undefined) {
    body = JSON.stringify({
      active: true,
      user_id: access.userId,
      tenant: access.tenant.slug,
      session_id: access.sessionId,
      device_id: access.deviceId,
      role: access.role,
      ...(access.tenant.kind === 'market' ? { market: access.tenant.slug } : {}),
      expires_at: new Date(access.expiresAt * 1000).toISOString(),
    });
    bodies.set(access, body);
  }
  return body;
}

/** GET /api/v1/auth/session and GET /api/v1/auth/check: the hot paths, answered from memory. */
export function sessionRoutes(server: ApiServer, context: ApiContext): void {
  const answerSession = (reply: FastifyReply, result: Authenticated): FastifyReply =>
    result.ok
      ? reply.type('application/json; charset=utf-8').send(sessionBody(result.access))
      : sendRefusal(reply, result);

  server.get(
    '/api/v1/auth/session',
    {
      config: { isCheap: true },
      schema: {
        summary: 'Is this session alive, and whose is it?',
        tags: ['sessions'],
        security: bearer,
        response: { 200: Session, ...failures(401) },
      },
    },
    (request, reply) => {
      const result = authenticate(context, request);
      if (!(result instanceof Promise)) return void answerSession(reply, result);
      return result.then((settled) => void answerSession(reply, settled));
    },
  );

  server.get(
    '/api/v1/auth/check',
    {
      config: { isCheap: true },
      schema: {
        summary: 'For a reverse proxy: 204 with X-Auth-* headers, or 401',
        tags: ['sessions'],
        security: bearer,
        response: { 204: Type.Null({ description: 'Alive.' }), ...failures(401) },
      },
    },
    async (request, reply) => {
      const result = await authenticate(
        context,
        request,
        bearerToken(request) ?? cookieToken(context, request),
      );
      if (!result.ok) return sendRefusal(reply, result);
      const { access } = result;
      return reply
        .headers({
          'x-auth-user-id': access.userId,
          'x-auth-tenant': access.tenant.slug,
          'x-auth-session-id': access.sessionId,
          'x-auth-role': access.role,
        })
        .code(204)
        .send(null);
    },
  );
}

function cookieToken({ publicUrl }: ApiContext, request: FastifyRequest): string | undefined {
  const { cookie } = request.headers;
  if (cookie === undefined) return undefined;
  const secure = publicUrl.startsWith('https:');
  const slug = request.headers['x-tenant'];
  const named =
    typeof slug === 'string'
      ? readCookie(cookie, cookieName(`${SESSION_COOKIE}-${slug}`, secure))
      : undefined;
  return named ?? readCookie(cookie, cookieName(SESSION_COOKIE, secure));
}
