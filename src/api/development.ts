import { Type } from 'typebox';
import type { DevelopmentInbox } from '../delivery/delivery.ts';
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

/** What only development mode has. */
export interface DevelopmentParts {
  inbox: DevelopmentInbox;
  /** Is there a message, to whomever, that should have arrived and has not? */
  isUnderWay: () => Promise<boolean>;
}

/** What another server carried is found by looking again: soon at first, then less often. */
const pauseAfter = (looks: number): number => Math.min(25 * 2 ** looks, 200);

/** GET /dev/messages: registered in development mode only. */
export function developmentRoutes(server: ApiServer, { inbox, isUnderWay }: DevelopmentParts): void {
  let isClosing = false;
  server.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });

  server.get(
    '/dev/messages',
    {
      schema: {
        summary: 'Messages that would have gone out, newest first (development mode only)',
        description:
          'With `wait` (seconds, at most 10) the answer comes once there is a message to show and none is on its way any more: what was asked for before is in it. With `after` only messages newer than that one are shown, and one is enough.',
        tags: ['development'],
        querystring: Type.Object(
          {
            to: Type.Optional(Type.String({ maxLength: 320 })),
            after: Type.Optional(
              Type.String({
                pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
                description: 'Id of a message.',
              }),
            ),
            wait: Type.Optional(Type.String({ pattern: '^([0-9]|10)$' })),
            limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Array(Message), ...failures() },
      },
    },
    async (request) => {
      const { to, after, limit, wait } = request.query;
      const end = performance.now() + Number(wait ?? 0) * 1000;
      for (let looks = 0; ; looks += 1) {
        // Before the list is read, so that nothing arrives unnoticed in between.
        const arrival = wait === undefined ? undefined : inbox.arrival(to, pauseAfter(looks));
        // Asked before the list is read: what arrives in between is in it.
        const isOver = isClosing || request.raw.socket.destroyed || performance.now() >= end;
        const isThere = isOver || after !== undefined || !(await isUnderWay());
        const messages = await inbox.list(to, Number(limit ?? 50), after);
        if (isOver || (isThere && messages.length > 0)) return messages;
        await arrival;
      }
    },
  );
}
