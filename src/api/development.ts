import { Type } from 'typebox';
import type { DevelopmentInbox } from '../delivery/delivery.ts';
import { parseEmail } from '../kernel/email.ts';
import { parsePhone } from '../kernel/phone.ts';
import type { ApiServer } from './api.ts';
import { failures } from './schemas.ts';

const orNull = Type.Union([Type.String(), Type.Null()]);
const Message = Type.Object({
  id: Type.String(),
  channel: Type.String(),
  to: Type.String(),
  subject: orNull,
  text: Type.String(),
  html: orNull,
  code: orNull,
  buttons: Type.Optional(
    Type.Array(Type.Unknown(), {
      description: 'Rows of buttons under a message of the simulated Telegram, as the Bot API has them.',
    }),
  ),
  created_at: Type.String({ format: 'date-time' }),
});

/** GET /dev/messages: registered in development mode only. */
export function developmentRoutes(server: ApiServer, inbox: DevelopmentInbox): void {
  server.get(
    '/dev/messages',
    {
      schema: {
        summary: 'Messages that would have gone out, newest first (development mode only)',
        tags: ['development'],
        querystring: Type.Object(
          {
            to: Type.Optional(Type.String({ maxLength: 320 })),
            limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Array(Message), ...failures() },
      },
    },
    async (request) => {
      const { to, limit } = request.query;
      return inbox.list(to === undefined ? undefined : canonicalRecipient(to), Number(limit ?? 50));
    },
  );
}

/** A + in a query string arrives as a space; people paste addresses in every form. */
function canonicalRecipient(to: string): string {
  const phone = parsePhone(to.startsWith(' ') ? `+${to.trim()}` : to);
  if (phone.ok) return phone.phone;
  const email = parseEmail(to);
  return email.ok ? email.asEntered : to;
}
