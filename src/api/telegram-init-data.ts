import { Type } from 'typebox';
import { refuseField } from '../kernel/errors.ts';
import { signInBySignedData } from '../signin/telegram-init-data.ts';
import { sendRefusal } from '../web/server.ts';
import type { ApiServer } from './api.ts';
import { type ApiContext, cluesOf } from './context.ts';
import { closed, device, failures, fields, SignedIn } from './schemas.ts';
import { signedInBody } from './verify-code.ts';

const text = Type.String({ maxLength: 512 });

const widget = Type.Object(
  {
    id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    auth_date: Type.Integer({ minimum: 1, maximum: 999_999_999_999 }),
    hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    first_name: Type.Optional(text),
    last_name: Type.Optional(text),
    username: Type.Optional(text),
    photo_url: Type.Optional(Type.String({ maxLength: 2048 })),
  },
  { ...closed, description: 'What the older login widget hands over, unchanged.' },
);

/** POST /api/v1/auth/telegram/init-data */
export function telegramInitDataRoute(server: ApiServer, context: ApiContext): void {
  server.post(
    '/api/v1/auth/telegram/init-data',
    {
      schema: {
        summary: 'Sign in from a Mini App by what Telegram has signed',
        description:
          'Give `init_data` as `Telegram.WebApp.initData` has it, or the `widget` data of the older login widget. It must be at most five minutes old and works once.',
        tags: ['telegram'],
        body: Type.Object(
          {
            init_data: Type.Optional(Type.String({ minLength: 1, maxLength: 8192 })),
            widget: Type.Optional(widget),
            tenant: Type.Optional(fields.tenant),
            device: Type.Optional(device),
            style: Type.Optional(fields.style),
          },
          closed,
        ),
        response: { 200: SignedIn, 201: SignedIn, ...failures(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      if ((body.init_data === undefined) === (body.widget === undefined)) {
        return sendRefusal(reply, refuseField('/init_data', 'Give either init_data or widget.'));
      }
      const outcome = await signInBySignedData(context.signIn, body, cluesOf(context, request));
      if (!outcome.ok) return sendRefusal(reply, outcome);
      return reply.code(outcome.isNewUser ? 201 : 200).send(signedInBody(outcome));
    },
  );
}
