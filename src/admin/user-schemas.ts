import { Type } from 'typebox';
import type { DirectoryRow, SentRow, SessionRow } from '../accounts/accounts.ts';

const instant = Type.String({ format: 'date-time' });
const orNull = <T extends ReturnType<typeof Type.String>>(schema: T) => Type.Union([schema, Type.Null()]);
const text = orNull(Type.String());

/** An account as administrators see it. There is nothing in it by which anybody could sign in. */
export const AdminUser = Type.Object(
  {
    id: Type.String(),
    role: Type.String(),
    first_name: text,
    last_name: text,
    username: text,
    custom_fields: Type.Record(Type.String(), Type.Unknown()),
    is_active: Type.Boolean(),
    is_verified: Type.Boolean(),
    is_disabled: Type.Boolean(),
    has_password: Type.Boolean(),
    live_sessions: Type.Integer(),
    locale: text,
    last_login: orNull(instant),
    created_at: instant,
    updated_at: instant,
    identities: Type.Array(
      Type.Object({
        id: Type.String(),
        kind: Type.String(),
        value: Type.String(),
        as_entered: Type.String(),
        verified_at: text,
      }),
    ),
  },
  { description: 'An account.' },
);

export const AdminSession = Type.Object(
  {
    id: Type.String(),
    style: Type.Enum(['jwt', 'opaque']),
    amr: Type.Array(Type.String()),
    created_at: instant,
    last_used_at: instant,
    expires_at: instant,
    ended_at: orNull(instant),
    end_reason: text,
    device_id: Type.String(),
    device_kind: Type.String(),
    device_name: Type.String(),
    user_agent: text,
    last_ip: text,
  },
  { description: 'A session and its device.' },
);

export const AdminMessage = Type.Object(
  {
    id: Type.String(),
    template: Type.String(),
    channel: Type.String(),
    locale: Type.String(),
    state: Type.String({ description: 'queued, sending, sent, delivered, failed or abandoned.' }),
    provider: text,
    error: text,
    sends: Type.Integer(),
    created_at: instant,
    updated_at: instant,
    delivered_at: orNull(instant),
  },
  { description: 'A message, without what it said.' },
);

const iso = (moment: Date | null): string | null => moment?.toISOString() ?? null;

export function userOf(row: DirectoryRow) {
  return {
    ...row,
    last_login: iso(row.last_login),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

export function sessionOf(row: SessionRow) {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    last_used_at: row.last_used_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    ended_at: iso(row.ended_at),
  };
}

export function messageOf(row: SentRow) {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    delivered_at: iso(row.delivered_at),
  };
}
