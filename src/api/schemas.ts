import { Type } from 'typebox';

import { channels } from '../kernel/channels.ts';
import { textOf } from '../web/schema-issues.ts';
import { closed } from '../web/schemas.ts';

export { apiKey, closed, Done, Failure, failures } from '../web/schemas.ts';

const shortText = (description: string, maxLength = 100) =>
  Type.String({
    minLength: 1,
    maxLength,
    ...textOf(
      '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]*$',
      'may not hold line breaks, control characters and marks of direction',
    ),
    description,
  });

export const fields = {
  phone: Type.String({ maxLength: 40, description: 'With country code, as +14155552671.' }),
  email: Type.String({ maxLength: 320, description: 'An e-mail address.' }),
  telegramUserId: Type.Union(
    [
      Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
      Type.String(textOf('^[1-9]\\d{0,15}$', 'must be a numeric Telegram user id')),
    ],
    { description: 'Numeric Telegram user id.' },
  ),
  channel: Type.Enum([...channels], { description: 'How the code should come.' }),
  locale: Type.String({
    maxLength: 35,
    ...textOf('^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$', 'must be a language such as uz or pt-BR'),
    description: 'BCP 47.',
  }),
  tenant: Type.String({
    maxLength: 63,
    description: 'Slug of the tenant, when no X-Tenant header names it.',
  }),
  verificationId: Type.String({
    minLength: 1,
    maxLength: 128,
    description: 'The handle that the send answered.',
  }),
  code: Type.String({ minLength: 1, maxLength: 32, description: 'The code as it was typed.' }),
  name: shortText('Shown to people; control characters are refused.'),
  username: Type.String({
    ...textOf('^[A-Za-z0-9_.-]{2,64}$', 'may have 2 to 64 letters, digits, _ . and -'),
    description: 'Letters, digits, _ . -',
  }),
  deviceName: shortText('What the owner calls the device.'),
  style: Type.Enum(['jwt', 'opaque'], {
    description: 'jwt: short access token and rotating refresh token. opaque: one revocable session token.',
  }),
  token: Type.String({ minLength: 1, maxLength: 4096 }),
  password: Type.String({
    minLength: 1,
    maxLength: 1024,
    description: 'Up to 256 characters, each of them significant; compared after NFC.',
  }),
  customFields: Type.Record(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' }), Type.Unknown(), {
    ...closed,
    description: 'What the tenant asks besides, by its JSON Schema.',
  }),
};

export const addressFields = {
  phone: Type.Optional(fields.phone),
  email: Type.Optional(fields.email),
  telegram_user_id: Type.Optional(fields.telegramUserId),
};

const instant = Type.String({ format: 'date-time' });
const orNull = <T extends ReturnType<typeof Type.String>>(schema: T) => Type.Union([schema, Type.Null()]);

export const User = Type.Object(
  {
    id: Type.String(),
    phone: orNull(Type.String()),
    email: orNull(Type.String()),
    telegram_user_id: orNull(Type.String()),
    role: Type.String(),
    first_name: orNull(Type.String()),
    last_name: orNull(Type.String()),
    username: orNull(Type.String()),
    custom_fields: Type.Record(Type.String(), Type.Unknown()),
    is_active: Type.Boolean(),
    is_verified: Type.Boolean(),
    last_login: orNull(instant),
    created_at: instant,
    updated_at: instant,
    identities: Type.Array(
      Type.Object({
        id: Type.String(),
        kind: Type.String(),
        value: Type.String(),
        is_verified: Type.Boolean(),
      }),
    ),
  },
  { description: 'An account and its addresses.' },
);

export const Tenant = Type.Object({ id: Type.String(), slug: Type.String(), name: Type.String() });

export const VerificationSent = Type.Object(
  {
    success: Type.Literal(true),
    message: Type.String(),
    verification_id: Type.Optional(Type.String()),
    channel: Type.String(),
    destination: Type.String({ description: 'The address, masked.' }),
    code_length: Type.Integer(),
    expires_in: Type.Integer({ description: 'Seconds the code lives.' }),
    resend_in: Type.Integer({ description: 'Seconds until another may be asked for.' }),
    attempts_left: Type.Integer(),
  },
  { description: 'A code is on its way.' },
);

export const tokenFields = {
  access_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds the access token lives.' }),
  refresh_token: Type.Optional(Type.String()),
  session_token: Type.Optional(Type.String()),
};

export const SignedIn = Type.Object(
  {
    success: Type.Literal(true),
    message: Type.String(),
    ...tokenFields,
    user: User,
    tenant: Tenant,
    session: Type.Object({
      id: Type.String(),
      device_id: Type.String(),
      device_token: Type.String({
        description:
          'Send it as X-Device-Token with later sign-ins: strangers who guess cannot shut this device out.',
      }),
      created_at: instant,
      expires_at: instant,
    }),
    is_new_user: Type.Boolean(),
    next_action: Type.Optional(
      Type.String({
        description: "SET_PASSWORD: the waiting password was nobody's for sure and was dropped.",
      }),
    ),
    reset_token: Type.Optional(Type.String({ description: 'With SET_PASSWORD: sets one, once.' })),
  },
  { description: 'Signed in.' },
);

export const ResetGranted = Type.Object(
  {
    success: Type.Literal(true),
    message: Type.String(),
    reset_token: Type.String({ description: 'Bearer of reset-password; good for nothing else, and once.' }),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds the reset token lives.' }),
    next_action: Type.Literal('RESET_PASSWORD'),
    user: User,
    tenant: Tenant,
    is_new_user: Type.Literal(false),
  },
  { description: 'The address of a forgotten password is proved.' },
);

export const Finished = Type.Object(
  {
    success: Type.Literal(true),
    message: Type.String(),
    user: User,
    proof: Type.Optional(
      Type.Object({
        method: Type.String({ description: 'The kind of address that was proved.' }),
        expires_in: Type.Integer({ description: 'Seconds for which the proof counts.' }),
      }),
    ),
  },
  { description: 'The session that began it was proved once more, or the address is now linked.' },
);

export const Registered = Type.Object(
  {
    ...VerificationSent.properties,
    data: Type.Object({ email: Type.Optional(Type.String()), phone: Type.Optional(Type.String()) }),
  },
  { description: 'Kept for 24 hours; a code is on its way.' },
);

export const device = Type.Object(
  {
    name: Type.Optional(fields.deviceName),
    kind: Type.Optional(Type.Enum(['browser', 'app', 'telegram', 'server'])),
  },
  closed,
);

/** The bodies that both dialects share. */
export const bodies = {
  register: {
    phone: Type.Optional(fields.phone),
    email: Type.Optional(fields.email),
    password: Type.Optional(fields.password),
    name: Type.Optional(fields.name),
    first_name: Type.Optional(fields.name),
    last_name: Type.Optional(fields.name),
    username: Type.Optional(fields.username),
    profile: Type.Optional(fields.customFields),
    custom_fields: Type.Optional(fields.customFields),
    role: Type.Optional(
      Type.String(textOf('^[a-z][a-z0-9_-]{0,62}$', 'may have 1 to 63 small letters, digits, _ and -')),
    ),
    verification_id: Type.Optional(fields.verificationId),
    channel: Type.Optional(fields.channel),
    locale: Type.Optional(fields.locale),
    tenant: Type.Optional(fields.tenant),
  },
  login: {
    phone: Type.Optional(fields.phone),
    email: Type.Optional(fields.email),
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    password: fields.password,
    tenant: Type.Optional(fields.tenant),
    locale: Type.Optional(fields.locale),
    device: Type.Optional(device),
    style: Type.Optional(fields.style),
  },
  forgotPassword: {
    phone: Type.Optional(fields.phone),
    email: Type.Optional(fields.email),
    channel: Type.Optional(fields.channel),
    locale: Type.Optional(fields.locale),
    tenant: Type.Optional(fields.tenant),
  },
  resetPassword: {
    new_password: fields.password,
    device: Type.Optional(device),
    style: Type.Optional(fields.style),
  },
};

export const bearer = [{ bearer: [] }];
