import { type TSchema, Type } from 'typebox';
import { Tenant, User } from '../schemas.ts';

/** The envelope of this dialect: what v1 answers beside `success` and `message` is in `data`. */
function envelope<T extends TSchema>(data: T, description: string) {
  return Type.Object({ success: Type.Literal(true), message: Type.String(), data }, { description });
}

export const CodeSent = envelope(
  Type.Object({
    email: Type.Optional(Type.String()),
    phone: Type.Optional(Type.String()),
    verification_id: Type.Optional(Type.String()),
    channel: Type.String(),
    destination: Type.String(),
    code_length: Type.Integer(),
    expires_in: Type.Integer(),
    resend_in: Type.Integer(),
    attempts_left: Type.Integer(),
  }),
  'A code is on its way.',
);

export const SignedIn = envelope(
  Type.Object({
    token: Type.String({ description: 'Access token; for a forgotten password the reset token.' }),
    token_type: Type.Literal('Bearer'),
    refresh_token: Type.Optional(Type.String()),
    expires_in: Type.Integer(),
    tenant: Tenant,
    user: User,
    is_new_user: Type.Boolean(),
    next_action: Type.Optional(Type.String()),
    reset_token: Type.Optional(Type.String()),
  }),
  'Signed in, or allowed to set a new password.',
);

export const Account = envelope(Type.Object({ user: User }), 'The account.');
export const Nothing = envelope(Type.Object({}), 'Done.');
