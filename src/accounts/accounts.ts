import { type AuditTrail, type EventQuery, type ReadEvent, readEvents, recordEvent } from '../audit/audit.ts';
import type { Database, Sql } from '../db/database.ts';
import { type AddressUse, readAddressUse } from '../limits/limits.ts';
import { readSentTo, type SentRow } from '../outbox/outbox.ts';
import {
  endAllSessions,
  endSessions,
  readSessionsOf,
  type SessionRow,
  type Sessions,
} from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { type DirectoryRow, lockUser, searchUsers, setDisabled, type UserSearch } from '../users/users.ts';
import { verificationsOf } from '../verification/verification.ts';
import { endAfterRestore, type EndedAfterRestore } from './after-restore.ts';
import { type Actor, eraseAccount, type Erased } from './erase.ts';
import { exportAccount, type AccountExport } from './export.ts';
import { readSearch } from './search.ts';

export type {
  AccountExport,
  Actor,
  AddressUse,
  DirectoryRow,
  EndedAfterRestore,
  Erased,
  ReadEvent,
  SentRow,
  SessionRow,
};

/** One page of a list, and where the next begins. */
export interface Paging {
  before?: string | undefined;
  limit: number;
}

/** What administrators and people at a support desk do with accounts. Every change leaves its audit row. */
export interface Accounts {
  /** Accounts, the newest first. `text` is an address in any writing, a username, an id or the beginning of a name. */
  search(
    tenant: Tenant,
    wanted: Paging & { text?: string | undefined; state?: UserSearch['state'] },
  ): Promise<DirectoryRow[]>;
  find(tenant: Tenant, userId: string): Promise<DirectoryRow | undefined>;
  sessions(tenant: Tenant, userId: string, page: Paging & { onlyLive: boolean }): Promise<SessionRow[]>;
  /** What was sent to an account's addresses of late and how it ended; never what it said. */
  messages(tenant: Tenant, user: DirectoryRow, page: Paging): Promise<SentRow[]>;
  /** What an account's addresses have used of their budgets. */
  uses(tenant: Tenant, user: DirectoryRow): Promise<AddressUse[]>;
  events(tenant: Tenant, query: Omit<EventQuery, 'tenantId'>): Promise<ReadEvent[]>;
  /** Closes an account, which ends its sessions everywhere, or opens it again. */
  setDisabled(
    tenant: Tenant,
    userId: string,
    isDisabled: boolean,
    by: Actor,
  ): Promise<'changed' | 'unchanged' | 'missing'>;
  /** Ends one session or all of them. Gives how many ended. */
  endSessions(tenant: Tenant, userId: string, sessionId: string | undefined, by: Actor): Promise<number>;
  erase(tenant: Tenant, userId: string, by: Actor): Promise<Erased>;
  /** Everything that is kept of a person, for the person. */
  export(tenant: Tenant, userId: string, by: Actor): Promise<AccountExport | undefined>;
  /** Ends what a restored database would believe again: codes, registrations, links, answers, sessions (R12). */
  endAfterRestore(
    tenant: Tenant,
    actor: string,
    onSessions?: (ended: number) => void,
  ): Promise<EndedAfterRestore>;
}

export interface AccountsOptions {
  databaseOf: (tenantId: string) => Database;
  audit: AuditTrail;
  sessions: Sessions;
  newId: () => string;
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { databaseOf, audit, sessions, newId } = options;

  async function find(tenant: Tenant, userId: string): Promise<DirectoryRow | undefined> {
    const [row] = await searchUsers(databaseOf(tenant.id), { tenantId: tenant.id, id: userId, limit: 1 });
    return row;
  }

  function messages(tenant: Tenant, user: DirectoryRow, page: Paging): Promise<SentRow[]> {
    const database = databaseOf(tenant.id);
    const person = { tenantId: tenant.id, userId: user.id, addresses: user.identities };
    return readSentTo(database, { tenantId: tenant.id, of: verificationsOf(database.sql, person), ...page });
  }

  async function disable(
    database: Database,
    sql: Sql,
    change: { tenantId: string; userId: string; isDisabled: boolean; by: Actor },
  ): Promise<string[] | 'unchanged' | 'missing'> {
    const { tenantId, userId, isDisabled, by } = change;
    const now = database.now();
    if (!(await lockUser(sql, tenantId, userId))) return 'missing';
    const recorded = recordEvent(sql, {
      tenantId,
      id: sql`${newId()}::uuid`,
      action: isDisabled ? sql`'user.disabled'` : sql`'user.enabled'`,
      actor: sql`${by.actor}::text`,
      subject: sql`'user:' || changed.id`,
      caller: by.caller,
      now,
      from: sql`changed`,
    });
    const rows = await sql`
      with changed as (${setDisabled(sql, { tenantId, userId, isDisabled, now })}), recorded as (${recorded})
      select id from changed`;
    if (rows.length === 0) return 'unchanged';
    if (!isDisabled) return [];
    const { actor, caller } = by;
    const ip = caller?.ip ?? null;
    return endAllSessions(sql, { tenantId, userId, reason: 'disabled', actor, ip, now });
  }

  return {
    search: (tenant, { text, state, before, limit }) =>
      searchUsers(databaseOf(tenant.id), {
        tenantId: tenant.id,
        ...(text === undefined || text.trim() === '' ? {} : readSearch(tenant, text)),
        state,
        before,
        limit,
      }),
    find,
    sessions: (tenant, userId, page) =>
      readSessionsOf(databaseOf(tenant.id), { tenantId: tenant.id, userId, ...page }),
    messages,
    uses: (tenant, user) => readAddressUse(databaseOf(tenant.id), tenant.id, user.identities),
    events: (tenant, query) => readEvents(databaseOf(tenant.id), { tenantId: tenant.id, ...query }),
    async setDisabled(tenant, userId, isDisabled, by) {
      const database = databaseOf(tenant.id);
      if (!(await find(tenant, userId))) return 'missing';
      const change = { tenantId: tenant.id, userId, isDisabled, by };
      const outcome = await database.transaction((begun) =>
        disable(database, begun as unknown as Sql, change),
      );
      if (typeof outcome === 'string') return outcome;
      await sessions.told(tenant.id, outcome);
      return 'changed';
    },
    async endSessions(tenant, userId, sessionId, { actor, caller }) {
      const database = databaseOf(tenant.id);
      const { sql } = database;
      const one = sessionId === undefined ? sql`true` : sql`s.id = ${sessionId}::uuid`;
      const ended = await endSessions(database, {
        tenantId: tenant.id,
        which: sql`s.user_id = ${userId}::uuid and ${one}`,
        reason: 'administrator',
        actor,
        ip: caller?.ip ?? null,
        userAgent: caller?.userAgent ?? null,
        now: database.now(),
      });
      await sessions.told(
        tenant.id,
        ended.map(({ id }) => id),
      );
      return ended.length;
    },
    erase: (tenant, userId, by) =>
      eraseAccount({ database: databaseOf(tenant.id), audit, sessions, newId }, tenant, userId, by),
    async export(tenant, userId, by) {
      const user = await find(tenant, userId);
      return user && exportAccount({ database: databaseOf(tenant.id), newId, messages }, tenant, user, by);
    },
    endAfterRestore: (tenant, actor, onSessions = () => {}) =>
      endAfterRestore({ database: databaseOf(tenant.id), sessions, newId }, tenant, actor, onSessions),
  };
}
