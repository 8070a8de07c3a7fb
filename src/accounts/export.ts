import { readEvents, recordEvent } from '../audit/audit.ts';
import { readChatsOf } from '../chats/chats.ts';
import type { Database } from '../db/database.ts';
import type { SentRow } from '../outbox/outbox.ts';
import { findWaitingRegistrations } from '../registrations/registrations.ts';
import { readSessionsOf } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { DirectoryRow } from '../users/users.ts';
import type { Actor } from './erase.ts';

/** Everything that is kept of a person. No secrets: passwords and codes are kept as hashes only, tokens not at all. */
export interface AccountExport {
  exported_at: string;
  tenant: string;
  user: Record<string, unknown>;
  sessions: unknown[];
  telegram_chats: unknown[];
  waiting_registrations: unknown[];
  messages: SentRow[];
  events: unknown[];
}

const AT_ONCE = 500;

/** Reads it, and leaves an audit row that tells who asked for it. */
export async function exportAccount(
  parts: {
    database: Database;
    newId: () => string;
    messages: (
      tenant: Tenant,
      user: DirectoryRow,
      page: { before?: string | undefined; limit: number },
    ) => Promise<SentRow[]>;
  },
  tenant: Tenant,
  user: DirectoryRow,
  by: Actor,
): Promise<AccountExport> {
  const { database } = parts;
  const tenantId = tenant.id;
  const telegramIds = user.identities.flatMap(({ kind, value }) => (kind === 'telegram' ? [value] : []));
  const subjects = [`user:${user.id}`, ...user.identities.map(({ kind, value }) => `${kind}:${value}`)];
  const [sessions, chats, waiting, messages, events] = await Promise.all([
    every(({ before }) =>
      readSessionsOf(database, { tenantId, userId: user.id, onlyLive: false, before, limit: AT_ONCE }),
    ),
    readChatsOf(database, { tenantId, userId: user.id, telegramIds }),
    Promise.all(
      user.identities.map(({ kind, value }) =>
        findWaitingRegistrations(database, { tenantId, kind, value }, AT_ONCE),
      ),
    ),
    every(({ before }) => parts.messages(tenant, user, { before, limit: AT_ONCE })),
    every(
      ({ before }) =>
        readEvents(database, {
          tenantId,
          about: { actor: `user:${user.id}`, subjects },
          before,
          limit: AT_ONCE,
        }),
      (event) => event.position,
    ),
  ]);
  const [at] = await database.sql<{ now: Date }[]>`
    with recorded as (${recordEvent(database.sql, {
      tenantId,
      id: database.sql`${parts.newId()}::uuid`,
      action: database.sql`'user.exported'`,
      actor: database.sql`${by.actor}::text`,
      subject: database.sql`${`user:${user.id}`}::text`,
      caller: by.caller,
      now: database.now(),
      from: database.sql`(select 1) once`,
    })}) select ${database.now()} as now`;
  const { live_sessions: _live, ...profile } = user;
  return {
    exported_at: at?.now.toISOString() ?? '',
    tenant: tenant.slug,
    user: profile,
    sessions,
    telegram_chats: chats,
    waiting_registrations: waiting
      .flat()
      .map(({ id, registration_data: data }) => ({ id, registration_data: data })),
    messages,
    events: events.map(({ erased_by: _erased, ...event }) => event),
  };
}

/** All pages of a list that is read from its newest entry on. */
async function every<T extends { id: string }>(
  read: (page: { before: string | undefined }) => Promise<T[]>,
  placeOf: (row: T) => string = (row) => row.id,
): Promise<T[]> {
  const all: T[] = [];
  for (;;) {
    const last = all.at(-1);
    const page = await read({ before: last && placeOf(last) });
    all.push(...page);
    if (page.length < AT_ONCE) return all;
  }
}
