import { recordEvent } from '../audit/audit.ts';
import type { Database, Sql } from '../db/database.ts';
import { forgetAnswers } from '../idempotency/idempotency.ts';
import { removeAllRegistrations } from '../registrations/registrations.ts';
import { endSessions, type Sessions } from '../sessions/sessions.ts';
import { endAllLinks } from '../telegram-proofs/telegram-proofs.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { endAllCodes } from '../verification/verification.ts';

/** What a tenant had waiting or open that a backup may have brought back. */
export interface EndedAfterRestore {
  codes: number;
  registrations: number;
  links: number;
  sessions: number;
}

/** So many sessions end in one statement, and so many notices are told at once. */
const AT_ONCE = 1000;

/**
 * Ends whatever of a tenant a restored database would believe again although it was used or ended since the backup was
 * made: codes, waiting registrations, links into Telegram, kept answers and sessions (R12). What must not be believed
 * even for a moment goes first, in one transaction; sessions follow in batches. Called again it ends what is left.
 * @param onSessions told after each batch how many sessions have ended so far
 */
export async function endAfterRestore(
  parts: { database: Database; sessions: Pick<Sessions, 'told'>; newId: () => string },
  tenant: Tenant,
  actor: string,
  onSessions: (ended: number) => void,
): Promise<EndedAfterRestore> {
  const { database } = parts;
  const waiting = await database.transaction((begun) =>
    endWaiting(parts, tenant, actor, begun as unknown as Sql),
  );
  let sessions = 0;
  for (;;) {
    const ended = await endSessions(database, {
      ...{ tenantId: tenant.id, which: database.sql`true`, limit: AT_ONCE, reason: 'restored', actor },
      ...{ ip: null, now: database.now() },
    });
    await parts.sessions.told(
      tenant.id,
      ended.map(({ id }) => id),
    );
    sessions += ended.length;
    if (ended.length < AT_ONCE) return { ...waiting, sessions };
    onSessions(sessions);
  }
}

async function endWaiting(
  { database, newId }: { database: Database; newId: () => string },
  { id: tenantId }: Tenant,
  actor: string,
  sql: Sql,
): Promise<Omit<EndedAfterRestore, 'sessions'>> {
  const now = database.now();
  const ended = {
    codes: await endAllCodes(sql, tenantId, now),
    registrations: await removeAllRegistrations(sql, tenantId),
    links: await endAllLinks(sql, tenantId, now),
  };
  await forgetAnswers(sql, tenantId);
  await recordEvent(sql, {
    ...{ tenantId, id: sql`${newId()}::uuid`, action: sql`'tenant.restored'`, actor: sql`${actor}::text` },
    ...{ subject: sql`${`tenant:${tenantId}`}::text`, caller: undefined, now },
    data: sql`${JSON.stringify(ended)}::text::jsonb`,
    from: sql`(values (1)) once`,
  });
  return ended;
}
