import { recordEvent } from '../audit/audit.ts';
import type { Sql } from '../db/database.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import { isUuid } from '../kernel/id.ts';
import type { Access } from '../sessions/sessions.ts';
import { findUser, lockUser, type PublicUser, publicUser, removeIdentity } from '../users/users.ts';
import { endVerifications } from '../verification/verification.ts';
import type { RequestClues, SignInContext } from './context.ts';
import { requireProof } from './require-proof.ts';

/**
 * Takes an address from the account, never the last proved one. The address is told, with a link that gives it back;
 * codes that wait for it are worth nothing any more.
 */
export async function unlinkIdentity(
  context: SignInContext,
  access: Access,
  identityId: string,
  clues: RequestClues,
): Promise<{ ok: true; user: PublicUser } | Refused> {
  const { tenant, userId, sessionId } = access;
  const unproved = await requireProof(context, access, 'address');
  if (unproved) return unproved;
  if (!isUuid(identityId)) return refuse('NOT_FOUND', {}, 'Your account has no such address.');
  const database = context.databaseOf(tenant.id);
  const now = database.now();
  const refused = await database.transaction(async (begun): Promise<Refused | undefined> => {
    const sql = begun as unknown as Sql;
    // The session first, then the account: the order in which a sign-out takes them, so that neither waits in a ring.
    const late = await requireProof(context, access, 'address', sql);
    if (late) return late;
    if (!(await lockUser(sql, tenant.id, userId))) return refuse('SESSION_ENDED');
    const removed = await removeIdentity(sql, { tenantId: tenant.id, userId, identityId });
    if (removed === undefined) return refuse('NOT_FOUND', {}, 'Your account has no such address.');
    if (removed === 'last') return refuse('LAST_IDENTITY', { next_action: 'LINK_ADDRESS' });
    await endVerifications(sql, tenant.id, [removed], now);
    const told = context.notices.tell(sql, {
      tenantId: tenant.id,
      kind: 'identity_removed',
      userId: sql`${userId}::uuid`,
      sessionId: sql`${sessionId}::uuid`,
      details: sql`${JSON.stringify({ removed })}::text::jsonb`,
      now,
      from: sql`(select 1) once`,
    });
    const audited = recordEvent(sql, {
      tenantId: tenant.id,
      id: sql`${context.newId()}::uuid`,
      action: sql`'identity.unlinked'`,
      actor: sql`${`user:${userId}`}::text`,
      subject: sql`${`user:${userId}`}::text`,
      caller: clues.caller,
      now,
      data: sql`jsonb_build_object('kind', ${removed.kind}::text, 'identity_id', ${removed.id}::text)`,
      from: sql`told`,
    });
    await sql`with told as (${told}), audited as (${audited}) select id from told`;
    return undefined;
  });
  if (refused) return refused;
  context.notices.deliverSoon(database);
  const user = await findUser(database, tenant.id, userId);
  return user ? { ok: true, user: publicUser(user) } : refuse('SESSION_ENDED');
}
