import { Type } from 'typebox';
import { linkIdentity } from '../signin/link-identity.ts';
import { unlinkIdentity } from '../signin/unlink-identity.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authenticate, cluesOf } from './context.ts';
import { addressFields, bearer, closed, failures, fields, User, VerificationSent } from './schemas.ts';
import { verificationSentBody } from './send-verification.ts';

const params = Type.Object({ id: Type.String() });

/** POST /api/v1/auth/identities, DELETE /api/v1/auth/identities/{id} */
export function identityRoutes(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/identities',
    {
      schema: {
        summary: 'Add an address to your account, or change one',
        description:
          'Wants a proof of the last five minutes. A code goes to the new address; verify-code with the same Bearer finishes it. With `replaces` the earlier address goes in that moment, and is told with a link that undoes it for 72 hours.',
        tags: ['account'],
        security: bearer,
        body: Type.Object(
          {
            ...addressFields,
            replaces: Type.Optional(
              Type.String({ maxLength: 36, description: 'Id of the address that the new one replaces.' }),
            ),
            channel: Type.Optional(fields.channel),
            locale: Type.Optional(fields.locale),
          },
          closed,
        ),
        response: { 200: VerificationSent, ...failures(401, 403, 404, 409, 429) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const clues = cluesOf(context, request);
      const outcome = await linkIdentity(context.signIn, authenticated.access, request.body, clues);
      return outcome.ok ? verificationSentBody(outcome) : sendRefusal(reply, outcome);
    },
  );

  server.delete(
    '/api/v1/auth/identities/:id',
    {
      config: { optionalBody: true },
      schema: {
        summary: 'Remove an address from your account',
        description:
          'Wants a proof of the last five minutes, and never takes the last proved address. The address is told, with a link that undoes it for 72 hours.',
        tags: ['account'],
        security: bearer,
        params,
        response: {
          200: Type.Object({ success: Type.Literal(true), message: Type.String(), user: User }),
          ...failures(401, 403, 404, 409),
        },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const clues = cluesOf(context, request);
      const outcome = await unlinkIdentity(context.signIn, authenticated.access, request.params.id, clues);
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return { success: true as const, message: 'Address removed.', user: outcome.user };
    },
  );
}
