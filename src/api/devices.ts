import { Type } from 'typebox';
import { refuse } from '../kernel/errors.ts';
import { endDevice } from '../signin/end-device.ts';
import { isUuid } from '../kernel/id.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, authenticate, cluesOf } from './context.ts';
import { bearer, closed, Done, failures, fields } from './schemas.ts';

const instant = Type.String({ format: 'date-time' });
const Device = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  name: Type.String(),
  user_agent: Type.Union([Type.String(), Type.Null()]),
  last_ip: Type.Union([Type.String(), Type.Null()]),
  first_seen: instant,
  last_seen: instant,
  is_current: Type.Boolean(),
});
const params = Type.Object({ id: Type.String() });

/** GET /api/v1/auth/devices, PATCH and DELETE /api/v1/auth/devices/{id} */
export function deviceRoutes(server: ApiServer, context: ApiContext): void {
  const { sessions } = context.signIn;

  server.get(
    '/api/v1/auth/devices',
    {
      schema: {
        summary: 'Where you are signed in',
        tags: ['devices'],
        security: bearer,
        response: {
          200: Type.Object({ success: Type.Literal(true), devices: Type.Array(Device) }),
          ...failures(401),
        },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const { access } = authenticated;
      const rows = await sessions.devices(access);
      const devices = rows.map(({ session_ids: sessionIds, first_seen, last_seen, ...row }) => ({
        ...row,
        first_seen: first_seen.toISOString(),
        last_seen: last_seen.toISOString(),
        is_current: sessionIds.includes(access.sessionId),
      }));
      return { success: true as const, devices };
    },
  );

  server.patch(
    '/api/v1/auth/devices/:id',
    {
      schema: {
        summary: 'Name a device',
        tags: ['devices'],
        security: bearer,
        params,
        body: Type.Object({ name: fields.deviceName }, closed),
        response: { 200: Done, ...failures(401, 404) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const { caller } = cluesOf(context, request);
      const { id } = request.params;
      const renamed =
        isUuid(id) && (await sessions.renameDevice(authenticated.access, id, request.body.name, caller));
      return renamed
        ? { success: true as const, message: 'Device renamed.' }
        : sendRefusal(reply, refuse('NOT_FOUND'));
    },
  );

  server.delete(
    '/api/v1/auth/devices/:id',
    {
      config: { optionalBody: true },
      schema: {
        summary: 'Sign a device out',
        description: 'Any but the one in hand wants a proof of the last five minutes.',
        tags: ['devices'],
        security: bearer,
        params,
        response: { 200: Done, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const authenticated = await authenticate(context, request);
      if (!authenticated.ok) return sendRefusal(reply, authenticated);
      const { caller } = cluesOf(context, request);
      const ended = await endDevice(context.signIn, authenticated.access, request.params.id, caller);
      return ended.ok
        ? { success: true as const, message: 'The device was signed out.' }
        : sendRefusal(reply, ended);
    },
  );
}
