import { recordEvent } from '../audit/audit.ts';
import type { Sql } from '../db/database.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import { overloaded } from '../passwords/passwords.ts';
import type { SessionStyle } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import {
  enter,
  findHolder,
  findUser,
  hasAddress,
  markProved,
  setPassword,
  type UserRow,
} from '../users/users.ts';
import { endVerifications, type ResetTokenClaims } from '../verification/verification.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { mayJoin } from './joining.ts';
import { heldAfterMove } from './require-proof.ts';
import { type SignedIn, signedIn, signedInColumns, type SignedInRow } from './signed-in.ts';

export interface ResetPasswordInput {
  new_password: string;
  device?: { name?: string; kind?: string };
  style?: SessionStyle;
}

/**
 * Sets a new password for whoever proved the address. The password is judged before anything is spent. Then, in one
 * transaction: the proof is spent, the password set, every session and every live code of the account ended, a new
 * session opened, and the owner told at each of the account's addresses.
 */
export async function resetPassword(
  context: SignInContext,
  token: string | undefined,
  input: ResetPasswordInput,
  clues: RequestClues,
): Promise<SignedIn | Refused> {
  // 1. What the token names, while it may be spent.
  const claims = token === undefined ? undefined : context.verifications.readResetToken(token);
  const tenant = claims && context.tenants.byId(claims.tenantId);
  if (!claims || !tenant) return refuse('TOKEN_INVALID');
  if (clues.tenantHeader !== undefined && clues.tenantHeader !== tenant.slug) return refuse('TOKEN_INVALID');
  const database = context.databaseOf(tenant.id);
  const proof = await context.verifications.findResettable(database, claims);
  if (!proof) return refuse('TOKEN_INVALID');
  if (!proof.is_fresh) return refuse('TOKEN_EXPIRED', { next_action: 'REQUEST_CODE' });
  const user = await findAccount(context, tenant, proof);
  if (!user) return refuse('TOKEN_INVALID');
  if (user.is_disabled) return refuse('ACCOUNT_DISABLED');
  // A code for the number may have come to the very chat that took the account; the mailbox is another.
  const held =
    proof.kind === 'email' ? undefined : await heldAfterMove(context, { tenant, userId: user.id }, undefined);
  if (held) return held;

  // 2. The new password is judged and hashed before the proof is spent.
  const addresses = user.identities.map((identity) => identity.value);
  const about = [...addresses, user.first_name, user.last_name, user.username, tenant.name, tenant.slug];
  const issues = await context.passwords.issues(
    input.new_password,
    tenant.policy.passwords,
    about,
    '/new_password',
  );
  if (issues.length > 0) return refuse('WEAK_PASSWORD', { issues });
  const hash = await context.passwords.hash(input.new_password);
  if (hash === overloaded) return refuse('OVERLOADED', { retry_after: 1 });

  // 3. One transaction: two statements, so that the second sees every session that came before the first.
  const style = input.style ?? tenant.policy.sessionStyle;
  const change = { tenant, user, claims, proof, hash, style, input };
  const done = await database.transaction((transaction) =>
    writeReset(context, transaction as unknown as Sql, change, clues),
  );
  if (!done) return refuse('TOKEN_INVALID');
  await context.sessions.told(tenant.id, done.ended);
  context.notices.deliverSoon(database);
  return signedIn(context, tenant, done.row, { style, amr: ['otp', 'pwd'] });
}

/** The account of the proof, if it has the address still; the one of a fresh registration is found by it. */
async function findAccount(
  context: SignInContext,
  tenant: Tenant,
  proof: { kind: string; value: string; user_id: string | null },
): Promise<UserRow | undefined> {
  const database = context.databaseOf(tenant.id);
  const userId = proof.user_id ?? (await findHolder(database, tenant.id, proof))?.user_id;
  const user = userId === undefined ? undefined : await findUser(database, tenant.id, userId);
  return user && hasAddress(user, proof) ? user : undefined;
}

interface Change {
  tenant: Tenant;
  user: UserRow;
  claims: ResetTokenClaims;
  proof: { kind: string; value: string };
  hash: string;
  style: SessionStyle;
  input: ResetPasswordInput;
}

interface Written {
  row: SignedInRow & { user_id: string; session_id: string };
  ended: string[];
}

/** Undefined when somebody else spent the proof a moment before, or the account was closed. */
async function writeReset(
  context: SignInContext,
  sql: Sql,
  change: Change,
  clues: RequestClues,
): Promise<Written | undefined> {
  const { tenant, user, claims, proof, hash } = change;
  const { caller } = clues;
  const database = context.databaseOf(tenant.id);
  const now = database.now();
  const tenantId = tenant.id;
  const audited = recordEvent(sql, {
    tenantId,
    id: sql`${context.newId()}::uuid`,
    action: sql`'password.changed'`,
    actor: sql`'user:' || changed.id`,
    subject: sql`'user:' || changed.id`,
    caller,
    now,
    data: sql`jsonb_build_object('verification_id', ${claims.verificationId}::text)`,
    from: sql`changed`,
  });
  const [changed] = await sql`
    with spent as (${context.verifications.spendReset(sql, claims, now)}),
      changed as (${setPassword(sql, { tenantId, userId: user.id, hash, kind: proof.kind, value: proof.value, now })}),
      proved as (${markProved(sql, { tenantId, ...proof, now })}),
      audited as (${audited})
    select id from changed`;
  if (!changed) return undefined;

  const ended = await context.sessions.endAll(sql, {
    tenantId,
    userId: user.id,
    reason: 'password_changed',
    caller,
    now,
  });
  await endVerifications(sql, tenantId, user.identities, now);
  const told = context.notices.tell(sql, {
    tenantId,
    kind: 'password_changed',
    userId: sql`${user.id}::uuid`,
    sessionId: sql`null::uuid`,
    used: { kind: sql`${proof.kind}::text`, value: sql`${proof.value}::text` },
    details: sql`jsonb_build_object('place', ${caller.ip}::text)`,
    now,
    from: sql`(select 1) once`,
  });
  await sql`${told}`;

  const joining = mayJoin(tenant, change.style)
    ? await context.sessions.findJoining(sql, {
        tenant,
        userId: user.id,
        role: user.role,
        chatId: undefined,
        now,
      })
    : undefined;
  const opened = context.sessions.open(sql, {
    tenant,
    style: change.style,
    amr: ['otp', 'pwd'],
    device: change.input.device,
    caller,
    provedBy: sql`${proof.kind}::text`,
    // Every other one has just ended: those who sign in later join this one.
    joining,
    now,
  });
  const entered = recordEvent(sql, {
    tenantId,
    id: sql`${context.newId()}::uuid`,
    action: sql`'user.signed_in'`,
    actor: sql`'user:' || account.id`,
    subject: sql`'session:' || opened.id`,
    caller,
    now,
    data: sql`jsonb_build_object('method', 'new_password')`,
    from: sql`account, opened`,
  });
  const [row] = await sql<SignedInRow[]>`
    with ${enter(sql, { tenantId, userId: user.id, checkedHash: hash, newHash: null, opensSession: true, now })},
      ${opened.fragment},
      recorded as (${entered})
    select ${signedInColumns(sql, tenantId, now)} from account join opened on true`;
  if (!row || row.user_id === null || row.session_id === null) {
    throw new Error('the account that was just given a password could not be signed in to');
  }
  return { row: { ...row, user_id: row.user_id, session_id: row.session_id }, ended };
}
