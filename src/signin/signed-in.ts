import type { Fragment, Sql } from '../db/database.ts';
import type { SessionStyle, Tokens } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { type IdentityRow, identitiesOf, type PublicUser, publicUser } from '../users/users.ts';
import type { SignInContext } from './context.ts';

/** Somebody who has just proved an address or a password, signed in. */
export interface SignedIn {
  ok: true;
  tenant: Tenant;
  tokens: Tokens;
  user: PublicUser;
  session: { id: string; device_id: string; device_token: string; created_at: string; expires_at: string };
  isNewUser: boolean;
  /** An unproven password was dropped: with this token, once and for ten minutes, a new one can be set. */
  setPassword?: { resetToken: string };
}

/** The account and the session that a sign-in statement ended with; nulls where it opened none. */
export interface SignedInRow {
  now: Date;
  user_id: string | null;
  role: string;
  first_name: string | null;
  last_name: string | null;
  username: string | null;
  custom_fields: Record<string, unknown>;
  is_active: boolean;
  is_verified: boolean;
  is_disabled: boolean;
  epoch: number;
  last_login: Date | null;
  created_at: Date;
  updated_at: Date;
  created: boolean;
  identities: IdentityRow[] | null;
  session_id: string | null;
  device_id: string;
  session_created_at: Date;
  session_expires_at: Date;
}

/** The columns of SignedInRow, for a statement with `account`, `admitted` and `opened`. */
export function signedInColumns(sql: Sql, tenantId: string, now: Fragment): Fragment {
  return sql`${now} as now, account.id as user_id, account.role, account.first_name, account.last_name,
    account.username, account.custom_fields, account.is_active, account.is_verified, account.is_disabled,
    account.epoch, account.last_login, account.created_at, account.updated_at, account.created,
    ${identitiesOf(sql, tenantId)} as identities,
    opened.id as session_id, opened.device_id, opened.created_at as session_created_at,
    opened.expires_at as session_expires_at`;
}

/** Makes the tokens of a session that is committed. */
export async function signedIn(
  context: SignInContext,
  tenant: Tenant,
  row: SignedInRow & { user_id: string; session_id: string },
  how: { style: SessionStyle; amr: readonly string[] },
): Promise<SignedIn> {
  const tokens = await context.sessions.tokensFor(tenant, {
    sessionId: row.session_id,
    deviceId: row.device_id,
    userId: row.user_id,
    counter: 0,
    role: row.role,
    epoch: row.epoch,
    amr: how.amr,
    style: how.style,
    expiresAt: row.session_expires_at,
    now: row.now,
  });
  return {
    ok: true,
    tenant,
    tokens,
    user: publicUser({ ...row, id: row.user_id, identities: row.identities ?? [] }),
    session: {
      id: row.session_id,
      device_id: row.device_id,
      device_token: context.sessions.deviceToken(row.device_id),
      created_at: row.session_created_at.toISOString(),
      expires_at: row.session_expires_at.toISOString(),
    },
    isNewUser: row.created,
  };
}
