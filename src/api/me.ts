import { Type } from 'typebox';
import { readProfile, updateProfile } from '../signin/profile.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authenticate, cluesOf } from './context.ts';
import { bearer, closed, failures, fields, User } from './schemas.ts';

const Me = Type.Object({ success: Type.Literal(true), user: User });
const nullable = <T extends ReturnType<typeof Type.String>>(schema: T) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

/** What a person may change of their account. */
export const changesBody = Type.Object(
  {
    first_name: nullable(fields.name),
    last_name: nullable(fields.name),
    username: nullable(fields.username),
    custom_fields: Type.Optional(fields.customFields),
  },
  closed,
);

/** GET and PATCH /api/v1/auth/me */
export function meRoutes(server: ApiServer, context: ApiContext): void {
  server.get(
    '/api/v1/auth/me',
    {
      schema: {
        summary: 'Your account',
        tags: ['account'],
        security: bearer,
        response: { 200: Me, ...failures(401) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const outcome = await readProfile(context.signIn, authenticated.access);
      return outcome.ok ? { success: true as const, user: outcome.user } : sendRefusal(reply, outcome);
    },
  );

  server.patch(
    '/api/v1/auth/me',
    {
      schema: {
        summary: 'Change your names and custom fields',
        description:
          'Fields left out stay as they are; null removes a value. custom_fields replaces them all, and must fit the schema of the tenant.',
        tags: ['account'],
        security: bearer,
        body: changesBody,
        response: { 200: Me, ...failures(401, 403) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const outcome = await updateProfile(
        context.signIn,
        authenticated.access,
        request.body,
        cluesOf(context, request),
      );
      return outcome.ok ? { success: true as const, user: outcome.user } : sendRefusal(reply, outcome);
    },
  );
}
