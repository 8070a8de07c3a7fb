import { type Caller, recordEvent } from '../audit/audit.ts';
import type { Database, Sql } from '../db/database.ts';
import { dispute, type NoticeKind, type NoticeRow } from '../notices/notices.ts';
import { clearProofs, disputeDevices, endDisputedSessions } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { dropPasswordSince, lockUser, removeIdentity, restoreIdentity } from '../users/users.ts';
import { endVerifications } from '../verification/verification.ts';
import type { SignInContext } from './context.ts';

/** What a link of a notice leads to, before anything is done. */
export interface Disputable {
  tenant: Tenant;
  kind: NoticeKind;
}

/** What the owner's word did. */
export interface Disputed {
  tenant: Tenant;
  kind: NoticeKind;
  /** Sessions that ended. */
  ended: number;
  /** The address that was given back; 'taken': somebody else has proved it since. */
  restored: 'given_back' | 'taken' | 'nothing';
  passwordDropped: boolean;
}

/** Looks behind a link and does nothing: programs that scan mail open every link. */
export async function findDisputable(context: SignInContext, token: string): Promise<Disputable | undefined> {
  const found = await context.notices.findByLink(token);
  return found && { tenant: found.tenant, kind: found.notice.kind };
}

/**
 * "This was not me", once and within 72 hours. An address that went comes back and the one that came in its place goes;
 * the session where it happened ends with every one opened since; a password set since is dropped; every session that
 * is left must prove itself anew before its next sensitive change (S33, S48).
 */
export async function sayNotMe(
  context: SignInContext,
  token: string,
  caller: Caller,
): Promise<Disputed | undefined> {
  const found = await context.notices.findByLink(token);
  if (!found) return undefined;
  const { tenant } = found;
  const database = context.databaseOf(tenant.id);
  const written = await database.transaction((begun) =>
    write(context, database, begun as unknown as Sql, tenant, found.notice.id, caller),
  );
  if (!written) return undefined;
  const { sessionIds, ...outcome } = written;
  await context.sessions.told(tenant.id, sessionIds);
  return outcome;
}

async function write(
  context: SignInContext,
  database: Database,
  sql: Sql,
  tenant: Tenant,
  noticeId: string,
  caller: Caller,
): Promise<(Disputed & { sessionIds: string[] }) | undefined> {
  const now = database.now();
  const tenantId = tenant.id;
  const notice = await dispute(sql, { tenantId, id: noticeId, now });
  if (!notice) return undefined;
  const userId = notice.user_id;
  const since = sql`(select created_at from notices where tenant_id = ${tenantId}::uuid and id = ${noticeId}::uuid)`;
  // The account first: whoever signs in meanwhile waits, and finds the password gone.
  await lockUser(sql, tenantId, userId);
  const sessionIds = await endDisputedSessions(sql, {
    tenantId,
    userId,
    sessionId: notice.session_id,
    everything: notice.kind === 'password_changed',
    since,
    ip: caller.ip,
    now,
  });
  await disputeDevices(sql, { tenantId, userId, sessionId: notice.session_id, since, now });
  await clearProofs(sql, tenantId, userId);
  const restored = await undoAddress(sql, tenantId, notice, now);
  const passwordDropped = await dropPasswordSince(sql, {
    tenantId,
    userId,
    since,
    always: notice.kind === 'password_changed' || sessionIds.passwordUsed || cameByPassword(notice),
    now,
  });
  const audited = recordEvent(sql, {
    tenantId,
    id: sql`${context.newId()}::uuid`,
    action: sql`'notice.disputed'`,
    actor: sql`${`user:${userId}`}::text`,
    subject: sql`${`user:${userId}`}::text`,
    caller,
    now,
    data: sql`jsonb_build_object('notice_id', ${noticeId}::text, 'notice', ${notice.kind}::text,
      'sessions_ended', ${sessionIds.ids.length}::int, 'address', ${restored}::text,
      'password_dropped', ${passwordDropped}::boolean)`,
    from: sql`(select 1) once`,
  });
  await sql`with nothing as (select), audited as (${audited}) select`;
  return {
    tenant,
    kind: notice.kind,
    ended: sessionIds.ids.length,
    restored,
    passwordDropped,
    sessionIds: sessionIds.ids,
  };
}

/** A sign-in that names no address it was done by was done by the password. */
function cameByPassword(notice: NoticeRow): boolean {
  return notice.kind === 'new_device' && notice.used_kind === null;
}

/** An address that went comes back, and the one that came goes. The transaction holds the account's row. */
export async function undoAddress(
  sql: Sql,
  tenantId: string,
  notice: NoticeRow,
  now: ReturnType<Database['now']>,
): Promise<Disputed['restored']> {
  const { added, removed } = notice.details;
  if (!added && !removed) return 'nothing';
  const userId = notice.user_id;
  const isBack = removed ? await restoreIdentity(sql, { ...removed, tenantId, userId, now }) : true;
  // What came goes: unless the account would have no proved address left.
  if (added) {
    await removeIdentity(sql, { tenantId, userId, identityId: added.id });
    await endVerifications(sql, tenantId, [added], now);
  }
  if (!isBack) return 'taken';
  return removed ? 'given_back' : 'nothing';
}
