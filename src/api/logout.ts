import { Type } from 'typebox';
import { logout } from '../signin/logout.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authenticate, cluesOf } from './context.ts';
import { bearer, closed, Done, failures } from './schemas.ts';

/** POST /api/v1/auth/logout */
export function logoutRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/logout',
    {
      config: { optionalBody: true },
      schema: {
        summary: 'End this session, the others, or all',
        description: 'Others and all want a proof of the last five minutes.',
        tags: ['sessions'],
        security: bearer,
        body: Type.Object({ scope: Type.Optional(Type.Enum(['this', 'others', 'all'])) }, closed),
        response: { 200: Done, ...failures(401, 403) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const scope = request.body.scope ?? 'this';
      const { caller } = cluesOf(context, request);
      const ended = await logout(context.signIn, authenticated.access, scope, caller);
      if (!ended.ok) return sendRefusal(reply, ended);
      return { success: true as const, message: logoutMessage(scope, ended.count, ended.userIsActive) };
    },
  );
}

/** What a sign-out is answered with. */
export function logoutMessage(scope: string, count: number, userIsActive: boolean): string {
  if (!userIsActive) return 'Logged out successfully. User is now inactive.';
  if (scope !== 'others') return 'Logged out successfully.';
  return count === 1 ? 'One other session was ended.' : `${count} other sessions were ended.`;
}
