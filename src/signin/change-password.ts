import { recordEvent } from '../audit/audit.ts';
import type { Sql } from '../db/database.ts';
import { type Refused, refuse, refuseField } from '../kernel/errors.ts';
import { overloaded } from '../passwords/passwords.ts';
import { type Access, endOtherSessions } from '../sessions/sessions.ts';
import { findUser, lockUser, replacePassword } from '../users/users.ts';
import { endVerifications } from '../verification/verification.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { requireProof } from './require-proof.ts';
import { provePassword } from './step-up.ts';

export interface ChangePasswordInput {
  new_password: string;
  /** Proves who is there as a step-up by password would (ASVS 6.2.3); not needed after a recent code. */
  current_password?: string;
}

/**
 * Sets a new password, or the first one, in a session that was proved a moment ago. Every other session ends (ASVS
 * 7.4.3), every code that waits for the account dies, and the owner is told.
 */
export async function changePassword(
  context: SignInContext,
  access: Access,
  input: ChangePasswordInput,
  clues: RequestClues,
): Promise<{ ok: true; ended: number } | Refused> {
  const { tenant, userId, sessionId } = access;
  if (!tenant.policy.passwords.enabled)
    return refuseField('/new_password', 'Passwords are switched off here.');
  const database = context.databaseOf(tenant.id);
  const user = await findUser(database, tenant.id, userId);
  if (!user || user.is_disabled) return refuse('SESSION_ENDED');

  // 1. Who is there.
  if (input.current_password !== undefined) {
    const proved = await provePassword(context, access, user, input.current_password, clues);
    if (!proved.ok) return proved;
  }
  const unproved = await requireProof(context, access, 'password');
  if (unproved) return unproved;

  // 2. Is it good, and its hash.
  const addresses = user.identities.map((identity) => identity.value);
  const about = [...addresses, user.first_name, user.last_name, user.username, tenant.name, tenant.slug];
  const rules = tenant.policy.passwords;
  const issues = await context.passwords.issues(input.new_password, rules, about, '/new_password');
  if (issues.length > 0) return refuse('WEAK_PASSWORD', { issues });
  const hash = await context.passwords.hash(input.new_password);
  if (hash === overloaded) return refuse('OVERLOADED', { retry_after: 1 });

  // 3. All of it in one transaction.
  const now = database.now();
  const outcome = await database.transaction(async (begun): Promise<string[] | Refused> => {
    const sql = begun as unknown as Sql;
    const late = await requireProof(context, access, 'password', sql);
    if (late) return late;
    // From here on a sign-in waits, and then finds another password.
    if (!(await lockUser(sql, tenant.id, userId))) return refuse('SESSION_ENDED');
    const ended = await endOtherSessions(sql, {
      tenantId: tenant.id,
      userId,
      sessionId,
      reason: 'password_changed',
      ip: clues.caller.ip,
      now,
    });
    if (!(await replacePassword(sql, { tenantId: tenant.id, userId, hash, now }))) {
      return refuse('SESSION_ENDED');
    }
    await endVerifications(sql, tenant.id, user.identities, now);
    const told = context.notices.tell(sql, {
      tenantId: tenant.id,
      kind: 'password_changed',
      userId: sql`${userId}::uuid`,
      sessionId: sql`${sessionId}::uuid`,
      details: sql`jsonb_build_object('place', ${clues.caller.ip}::text)`,
      now,
      from: sql`(select 1) once`,
    });
    const audited = recordEvent(sql, {
      tenantId: tenant.id,
      id: sql`${context.newId()}::uuid`,
      action: sql`'password.changed'`,
      actor: sql`${`user:${userId}`}::text`,
      subject: sql`${`user:${userId}`}::text`,
      caller: clues.caller,
      now,
      data: sql`jsonb_build_object('session_id', ${sessionId}::text)`,
      from: sql`told`,
    });
    await sql`with told as (${told}), audited as (${audited}) select id from told`;
    return ended;
  });
  if ('ok' in outcome) return outcome;
  await context.sessions.told(tenant.id, outcome);
  context.notices.deliverSoon(database);
  return { ok: true, ended: outcome.length };
}
