import type { Caller } from '../audit/audit.ts';
import type { Database, Fragment, Sql } from '../db/database.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { Access, AuthenticateOptions, Authenticate } from './authenticate.ts';
import { endExpired, endIdle } from './end-over.ts';
import { type EndAll, endAllSessions, type EndedRow, endSessions, endSessionsIn } from './end-store.ts';
import { begunInChats, readBegunWith } from './sharing.ts';
import { isSessionToken, readSessionToken } from './tokens.ts';

export type SignOutScope = 'this' | 'others' | 'all';

/** Whose devices are meant. */
export type Owner = Pick<Access, 'tenant' | 'userId'>;

export interface Ended {
  ok: true;
  /** How many sessions ended. */
  count: number;
  /** Whether the user has any left. */
  userIsActive: boolean;
}

interface Owned {
  tenantId: string;
  userId: string;
}

/** Every way in which sessions end. What returns `Ended` is over on every server by then. */
export interface Ending {
  end(access: Access, scope: SignOutScope, caller: Caller): Promise<Ended>;
  /** Ends every session of a user inside a transaction that holds the account's row; ids for `told`. */
  endAll(
    sql: Sql,
    query: Pick<EndAll, 'tenantId' | 'userId' | 'reason' | 'now'> & { caller: { ip: string | null } },
  ): Promise<string[]>;
  /**
   * What was begun in these chats, and whatever was begun since but in the one that is kept; also what has ended. The
   * transaction holds the account's row.
   */
  begunWith(
    sql: Sql,
    query: Owned & { chatIds: readonly string[]; keptChatId: string; since: Date },
  ): Promise<string[]>;
  /** Ends those of these sessions that live, inside such a transaction; ids for `told`. */
  endThese(
    sql: Sql,
    query: Owned & {
      sessionIds: readonly string[];
      reason: string;
      actor: string;
      caller: Caller;
      now: Fragment;
    },
  ): Promise<string[]>;
  /** Ends every session of an account, on the word of somebody else than its owner. */
  endAllOf(tenant: Tenant, userId: string, actor: string, caller: Caller): Promise<Ended>;
  /** After that transaction: this server knows at once, and waits until the others have been told. */
  told(tenantId: string, sessionIds: readonly string[]): Promise<void>;
  endDevice(owner: Owner, deviceId: string, caller: Caller): Promise<Ended>;
  /** Ends what was begun in a Telegram chat, everything else, or both. */
  endChat(owner: Owner, chatId: string, scope: SignOutScope, caller: Caller): Promise<Ended>;
  /** Ends the session a token of any kind belongs to (RFC 7009); unknown tokens are no error. */
  revokeToken(token: string, allowedTenant: string | null, actor: string, caller: Caller): Promise<void>;
  /** Ends what is past its absolute life, so that is_active tells the truth. */
  endExpired(database: Database): Promise<number>;
  /** Ends what has lain unused for longer than its tenant, or the role of its user, allows. */
  endIdle(database: Database): Promise<number>;
}

export function createEnding(
  options: Pick<AuthenticateOptions, 'tenants' | 'secrets' | 'databaseOf' | 'revocationsOf'>,
  authenticate: Authenticate,
): Ending {
  const { tenants, secrets, databaseOf, revocationsOf } = options;

  async function told(tenantId: string, sessionIds: readonly string[]): Promise<void> {
    const revocations = revocationsOf(tenantId);
    revocations.add(sessionIds);
    // Also where another request has just ended them: its notice may still be on its way to some server.
    await revocations.knownToAll();
  }

  async function endWhere(
    tenant: Tenant,
    which: Fragment,
    reason: string,
    actor: string,
    caller: Caller,
    limit?: number,
  ): Promise<EndedRow[]> {
    const database = databaseOf(tenant.id);
    const ended = await endSessions(database, {
      tenantId: tenant.id,
      which,
      ...(limit === undefined ? {} : { limit }),
      reason,
      actor,
      ip: caller.ip,
      userAgent: caller.userAgent ?? null,
      now: database.now(),
    });
    await told(
      tenant.id,
      ended.map((row) => row.id),
    );
    return ended;
  }

  /** The session that a token of any kind names. */
  async function sessionOf(token: string): Promise<{ tenant: Tenant; sessionId: string } | undefined> {
    const kind = (['refresh', 'opaque'] as const).find((candidate) => isSessionToken(candidate, token));
    if (!kind) {
      const result = await authenticate(token);
      return result.ok ? result.access : undefined;
    }
    const claims = readSessionToken(secrets, kind, token);
    const tenant = claims && tenants.byId(claims.tenantId);
    return claims && tenant ? { tenant, sessionId: claims.sessionId } : undefined;
  }

  return {
    told,
    async end(access, scope, caller) {
      const { sql } = databaseOf(access.tenant.id);
      const which = {
        this: sql`s.id = ${access.sessionId}::uuid`,
        others: sql`s.user_id = ${access.userId}::uuid and s.id <> ${access.sessionId}::uuid`,
        all: sql`s.user_id = ${access.userId}::uuid`,
      }[scope];
      const ended = await endWhere(access.tenant, which, 'signed_out', `user:${access.userId}`, caller);
      return scope === 'others' ? { ok: true, count: ended.length, userIsActive: true } : summary(ended);
    },
    endAll: (sql, { tenantId, userId, reason, caller, now }) =>
      endAllSessions(sql, { tenantId, userId, reason, actor: `user:${userId}`, ip: caller.ip, now }),
    begunWith: readBegunWith,
    async endThese(sql, { tenantId, userId, sessionIds, reason, actor, caller, now }) {
      const which = sql`s.user_id = ${userId}::uuid and s.id = any(${sessionIds as string[]}::uuid[])`;
      const { ip, userAgent = null } = caller;
      const ended = await endSessionsIn(sql, { tenantId, which, reason, actor, ip, userAgent, now });
      return ended.map((row) => row.id);
    },
    async endAllOf(tenant, userId, actor, caller) {
      const { sql } = databaseOf(tenant.id);
      return summary(await endWhere(tenant, sql`s.user_id = ${userId}::uuid`, 'invalidated', actor, caller));
    },
    async endDevice({ tenant, userId }, deviceId, caller) {
      const { sql } = databaseOf(tenant.id);
      const which = sql`s.user_id = ${userId}::uuid and (s.device_id = ${deviceId}::uuid or s.id = (
        select d.joined_session_id from devices d
        where d.tenant_id = ${tenant.id}::uuid and d.id = ${deviceId}::uuid and d.user_id = ${userId}::uuid))`;
      return summary(await endWhere(tenant, which, 'device_revoked', `user:${userId}`, caller));
    },
    async endChat({ tenant, userId }, chatId, scope, caller) {
      const { sql } = databaseOf(tenant.id);
      const begunThere = begunInChats(sql, userId, [chatId]);
      const which = {
        this: begunThere,
        others: sql`s.user_id = ${userId}::uuid and not (${begunThere})`,
        all: sql`s.user_id = ${userId}::uuid`,
      }[scope];
      return summary(await endWhere(tenant, which, 'signed_out', `user:${userId}`, caller));
    },
    async revokeToken(token, allowedTenant, actor, caller) {
      const named = await sessionOf(token);
      if (!named || (allowedTenant !== null && named.tenant.id !== allowedTenant)) return;
      const { sql } = databaseOf(named.tenant.id);
      await endWhere(named.tenant, sql`s.id = ${named.sessionId}::uuid`, 'token_revoked', actor, caller);
    },
    endExpired: (database) => endExpired(database, tenants, endWhere),
    endIdle: (database) =>
      endIdle(
        database,
        tenants.all().filter((tenant) => databaseOf(tenant.id) === database),
        endWhere,
      ),
  };
}

function summary(ended: readonly EndedRow[]): Ended {
  return { ok: true, count: ended.length, userIsActive: ended[0]?.user_is_active ?? false };
}
