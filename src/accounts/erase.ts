import { type AuditTrail, type Caller, readOwnSubjects, recordEvent } from '../audit/audit.ts';
import { eraseChats } from '../chats/chats.ts';
import type { Database, Sql } from '../db/database.ts';
import { eraseSuppressions } from '../delivery/delivery.ts';
import { forgetAddresses } from '../limits/limits.ts';
import { eraseNotices } from '../notices/notices.ts';
import { eraseMessages } from '../outbox/outbox.ts';
import { eraseRegistrations } from '../registrations/registrations.ts';
import { endAllSessions, eraseDevices, type Sessions } from '../sessions/sessions.ts';
import { eraseLinks } from '../telegram-proofs/telegram-proofs.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { eraseUser, findUser, lockUser, readErasure } from '../users/users.ts';
import { eraseVerifications, verificationsOf } from '../verification/verification.ts';

/** Who does it: for the audit. */
export interface Actor {
  actor: string;
  caller: Caller | undefined;
}

/** `already`: nothing is left of it, since an earlier removal. */
export type Erased = 'erased' | 'already' | 'missing';

/**
 * Removes everything personal of an account in one transaction: addresses, profile, password, devices, messages, chats,
 * registrations, notices, and what the audit trail tells of the person. The chain goes on verifying, and one event tells
 * of the removal. Sessions end everywhere. What stays for two days is the id, so that no token of it is believed.
 */
export async function eraseAccount(
  parts: { database: Database; audit: AuditTrail; sessions: Sessions; newId: () => string },
  tenant: Tenant,
  userId: string,
  by: Actor,
): Promise<Erased> {
  const { database } = parts;
  const outcome = await database.transaction((begun) =>
    write(parts, tenant, userId, by, begun as unknown as Sql),
  );
  if (typeof outcome === 'string') return outcome;
  await parts.sessions.told(tenant.id, outcome);
  return 'erased';
}

async function write(
  parts: { database: Database; audit: AuditTrail; sessions: Sessions; newId: () => string },
  tenant: Tenant,
  userId: string,
  by: Actor,
  sql: Sql,
): Promise<string[] | Exclude<Erased, 'erased'>> {
  const { database, audit } = parts;
  const tenantId = tenant.id;
  const now = database.now();
  if (!(await lockUser(sql, tenantId, userId))) return 'missing';
  if ((await readErasure(sql, tenantId, userId)) === 'erased') return 'already';
  const before = await findUser(database, tenantId, userId);
  const entered = (before?.identities ?? []).map((identity) => identity.as_entered);

  const { actor, caller } = by;
  const ip = caller?.ip ?? null;
  const ended = await endAllSessions(sql, { tenantId, userId, reason: 'erased', actor, ip, now });
  const addresses = await eraseUser(sql, { tenantId, userId, now });
  const person = { tenantId, userId, addresses };
  const telegramIds = addresses.flatMap(({ kind, value }) => (kind === 'telegram' ? [value] : []));
  await eraseMessages(sql, tenantId, verificationsOf(sql, person));
  await eraseVerifications(sql, person);
  await eraseRegistrations(sql, tenantId, addresses);
  await eraseNotices(sql, tenantId, userId);
  const chatIds = await eraseChats(sql, { tenantId, userId, telegramIds });
  await eraseLinks(sql, { tenantId, userId, telegramIds });
  await eraseSuppressions(sql, tenantId, [...addresses.map(({ value }) => value), ...entered]);
  await forgetAddresses(sql, tenantId, addresses);
  const devices = await eraseDevices(sql, tenantId, userId);

  const erasedBy = parts.newId();
  const own = await readOwnSubjects(sql, tenantId, `user:${userId}`);
  const subjects = [
    `user:${userId}`,
    ...addresses.map(({ kind, value }) => `${kind}:${value}`),
    ...chatIds.map((id) => `telegram_chat:${id}`),
    ...devices,
    ...own,
  ];
  const events = await audit.erase(sql, { tenantId, actor: `user:${userId}`, subjects, erasedBy });
  const told = recordEvent(sql, {
    tenantId,
    id: sql`${erasedBy}::uuid`,
    action: sql`'user.erased'`,
    actor: sql`${by.actor}::text`,
    subject: sql`${`user:${userId}`}::text`,
    caller: by.actor === `user:${userId}` ? undefined : by.caller,
    now,
    data: sql`jsonb_build_object('addresses', ${addresses.length}::int, 'events', ${events}::int)`,
    from: sql`(select 1) once`,
  });
  await sql`with told as (${told}) select`;
  return ended;
}
