import { requireProof } from '../signin/require-proof.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authenticate, cluesOf } from './context.ts';
import { bearer, Done, failures } from './schemas.ts';

/** DELETE /api/v1/auth/me */
export function eraseMeRoute(server: ApiServer, context: ApiContext): void {
  server.delete(
    '/api/v1/auth/me',
    {
      schema: {
        summary: 'Remove your account and what is kept of you, for good',
        description:
          'Wants a proof of the last five minutes, as a change of addresses does. Every session ends with it; nothing undoes it.',
        tags: ['account'],
        security: bearer,
        response: { 200: Done, ...failures(401, 403) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const { access } = authenticated;
      const refused = await requireProof(context.signIn, access, 'address');
      if (refused) return sendRefusal(reply, refused);
      const { caller } = cluesOf(context, request);
      await context.accounts.erase(access.tenant, access.userId, { actor: `user:${access.userId}`, caller });
      return { success: true as const, message: 'Your account and what was kept of you are gone.' };
    },
  );
}
