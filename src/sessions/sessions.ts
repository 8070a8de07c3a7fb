import type { Caller } from '../audit/audit.ts';
import type { Database, Fragment, Sql } from '../db/database.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { Tenant } from '../tenants/tenants.ts';
import {
  type Access,
  type Authenticated,
  type AuthenticateOptions,
  createAuthenticate,
} from './authenticate.ts';
import { accessLifetime, deviceNameOf, idleSecondsOf, issuerOf, REFRESH_GRACE_SECONDS } from './policy.ts';
import { createRevocations, type Revocations } from './revocations.ts';
import {
  begunInChats,
  type ChatSession,
  findJoining,
  joinFragment,
  type Joining,
  type JoiningQuery,
  readSessionOfChat,
  SHARED_INDEX,
} from './sharing.ts';
import { endExpired, endIdle } from './end-over.ts';
import {
  type DeviceRow,
  type EndAll,
  endAllSessions,
  endSessions,
  endSessionsIn,
  openFragment,
  ownDevicesFragment,
  readDevices,
  refreshSession,
  renameDevice,
  sweepSessions,
  touchSessions,
} from './store.ts';
import { deviceToken, isSessionToken, readDeviceToken, readSessionToken, sessionToken } from './tokens.ts';

export type { Access, Authenticated, ChatSession, DeviceRow, Joining, Revocations };
export { createRevocations, endAllSessions, endSessions, issuerOf, SHARED_INDEX, sweepSessions };
export { ownDevicesFragment as ownDevices };
export { eraseDevices, readSessionsOf, type SessionRow } from './directory-store.ts';
export { endDisputedSessions, endFormerFragment as endFormer, endOtherSessions } from './end-store.ts';
export { addProof, clearProofs, liveSession, type ProofMethod, readProofs } from './proof-store.ts';

export type SessionStyle = 'jwt' | 'opaque';
export type SignOutScope = 'this' | 'others' | 'all';

/** What the client gets to hold. Lives are whole seconds. */
export interface Tokens {
  access_token: string;
  token_type: 'Bearer';
  expires_in: number;
  refresh_token?: string;
  session_token?: string;
}

/** A session just opened or refreshed. */
export interface OpenedSession {
  sessionId: string;
  deviceId: string;
  userId: string;
  counter: number;
  role: string;
  epoch: number;
  amr: readonly string[];
  style: SessionStyle;
  expiresAt: Date;
  now: Date;
}

/** Whose devices are meant. */
export type Owner = Pick<Access, 'tenant' | 'userId'>;

export interface Ended {
  ok: true;
  /** How many sessions ended. */
  count: number;
  /** Whether the user has any left. */
  userIsActive: boolean;
}

export interface Sessions {
  /** Two entries of a `with` list after `account`: `device` and `opened`. */
  open(sql: Sql, options: OpenOptions): { sessionId: string; deviceName: string; fragment: Fragment };
  /** What a sign-in joins instead of opening a session; the transaction holds the account's row. */
  findJoining(sql: Sql, query: JoiningQuery): Promise<Joining>;
  /** The tokens of a session that is already committed. */
  tokensFor(tenant: Tenant, opened: OpenedSession): Promise<Tokens>;
  /** Names a device; it opens nothing, and has the account's reserve when codes are guessed at. */
  deviceToken(deviceId: string): string;
  /** The device such a token names, if it is one of ours. */
  readDeviceToken(token: string): string | undefined;
  authenticate(token: string): Promise<Authenticated> | Authenticated;
  /** Notes that a session is in use; written in batches, at most once a minute for each. */
  noteUse(access: Access, ip: () => string): void;
  /** @param named the tenant the request names, if any; it must be the token's own */
  refresh(
    refreshToken: string,
    caller: Caller,
    named: string | undefined,
  ): Promise<{ ok: true; tenant: Tenant; tokens: Tokens } | Refused>;
  end(access: Access, scope: SignOutScope, caller: Caller): Promise<Ended>;
  /** Ends every session of a user inside a transaction that holds the account's row; ids for `told`. */
  endAll(
    sql: Sql,
    query: Pick<EndAll, 'tenantId' | 'userId' | 'reason' | 'now'> & { caller: { ip: string | null } },
  ): Promise<string[]>;
  /** The live session whose token a chat holds; `chatId` null: any live one of the account. */
  findOfChat(tenant: Tenant, userId: string, chatId: string | null): Promise<ChatSession | undefined>;
  /** Ends what was begun in these chats, inside a transaction that holds the account's row; ids for `told`. */
  endOfChats(
    sql: Sql,
    query: {
      tenantId: string;
      userId: string;
      chatIds: readonly string[];
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
  devices(owner: Owner): Promise<DeviceRow[]>;
  renameDevice(owner: Owner, deviceId: string, name: string, caller: Caller): Promise<boolean>;
  /** Ends what is past its absolute life, so that is_active tells the truth. */
  endExpired(database: Database): Promise<number>;
  /** Ends what has lain unused for longer than its tenant, or the role of its user, allows. */
  endIdle(database: Database): Promise<number>;
  /** Writes the uses noted so far. */
  flushUses(): Promise<void>;
}

export interface OpenOptions {
  tenant: Tenant;
  style: SessionStyle;
  amr: readonly string[];
  device: { name?: string | undefined; kind?: string | undefined } | undefined;
  caller: Caller;
  /** SQL of type text: how the person was just proved, a kind of address or `password`; left out: not at all. */
  provedBy?: Fragment;
  /** Found before, in the same transaction: without it a session is opened that nobody shares. */
  joining?: Joining | undefined;
  now: Fragment;
}

export interface SessionsOptions extends AuthenticateOptions {
  newId: () => string;
  log: Log;
}

const NOTE_USE_EVERY_MILLISECONDS = 60_000;

export function createSessions(options: SessionsOptions): Sessions & { forget(sessionId: string): void } {
  const { tenants, secrets, keys, clock, databaseOf, revocationsOf, newId } = options;
  const { authenticate, forget } = createAuthenticate(options);
  let uses = new Map<string, { tenantId: string; sessionId: string; ip: string }>();

  async function endWhere(
    tenant: Tenant,
    which: Fragment,
    reason: string,
    actor: string,
    caller: Caller,
    limit?: number,
  ) {
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
    const revocations = revocationsOf(tenant.id);
    revocations.add(ended.map((row) => row.id));
    // Also where another request has just ended them: its notice may still be on its way to some server.
    await revocations.knownToAll();
    return ended;
  }

  function summary(ended: Awaited<ReturnType<typeof endWhere>>): Ended {
    return { ok: true, count: ended.length, userIsActive: ended[0]?.user_is_active ?? false };
  }

  async function tokensFor(tenant: Tenant, opened: OpenedSession): Promise<Tokens> {
    const { sessionId, now } = opened;
    const names = { tenantId: tenant.id, sessionId, counter: opened.counter };
    if (opened.style === 'opaque') {
      const token = sessionToken(secrets, 'opaque', names);
      const expires_in = Math.floor((opened.expiresAt.getTime() - now.getTime()) / 1000);
      return { access_token: token, token_type: 'Bearer', expires_in, session_token: token };
    }
    const issuedAt = Math.floor(now.getTime() / 1000);
    const expires_in = accessLifetime(tenant, opened.role, opened.expiresAt, now);
    const access_token = await keys.sign(tenant.id, {
      iss: issuerOf(options.publicUrl, tenant.slug),
      sub: opened.userId,
      aud: tenant.slug,
      client_id: tenant.slug,
      exp: issuedAt + expires_in,
      iat: issuedAt,
      jti: newId(),
      sid: sessionId,
      did: opened.deviceId,
      tid: tenant.id,
      role: opened.role,
      ...(tenant.kind === 'market' ? { market: tenant.slug } : {}),
      amr: [...opened.amr],
      epoch: opened.epoch,
    });
    return {
      access_token,
      token_type: 'Bearer',
      expires_in,
      refresh_token: sessionToken(secrets, 'refresh', names),
    };
  }

  return {
    authenticate,
    deviceToken: (deviceId) => deviceToken(secrets, deviceId),
    readDeviceToken: (token) => readDeviceToken(secrets, token),
    forget,
    tokensFor,
    findJoining,
    open(sql, { tenant, style, amr, device, caller, joining, provedBy, now }) {
      const sessionId = newId();
      const guessed = deviceNameOf(caller.userAgent);
      const deviceName = device?.name ?? guessed.name;
      const session = {
        tenantId: tenant.id,
        sessionId,
        deviceId: newId(),
        style,
        amr,
        lifetimeSeconds: tenant.policy.sessionLifetimeSeconds,
        deviceKind: device?.kind ?? guessed.kind,
        deviceName,
        userAgent: caller.userAgent ?? null,
        ip: caller.ip,
        proofs: provedBy ? sql`jsonb_build_object(${provedBy}, ${now})` : sql`'{}'::jsonb`,
        now,
      };
      const fragment = joining ? joinFragment(sql, session, joining) : openFragment(sql, session);
      return { sessionId, deviceName, fragment };
    },
    noteUse(access, ip) {
      const now = clock.now().getTime();
      if (now - access.notedAt < NOTE_USE_EVERY_MILLISECONDS) return;
      access.notedAt = now;
      uses.set(access.sessionId, { tenantId: access.tenant.id, sessionId: access.sessionId, ip: ip() });
    },
    async flushUses() {
      const noted = [...uses.values()];
      uses = new Map();
      const byDatabase = Map.groupBy(noted, (use) => databaseOf(use.tenantId));
      await Promise.all([...byDatabase].map(([database, touches]) => touchSessions(database, touches)));
    },
    async refresh(refreshToken, caller, named) {
      const claims = readSessionToken(secrets, 'refresh', refreshToken);
      const tenant = claims && tenants.byId(claims.tenantId);
      if (!claims || !tenant || (named !== undefined && named !== tenant.slug))
        return refuse('TOKEN_INVALID');
      const database = databaseOf(tenant.id);
      const row = await refreshSession(database, {
        tenantId: tenant.id,
        sessionId: claims.sessionId,
        presented: claims.counter,
        graceSeconds: REFRESH_GRACE_SECONDS,
        idleSeconds: tenant.policy.sessionIdleSeconds ?? null,
        administratorIdleSeconds: idleSecondsOf(tenant, 'admin') ?? 0,
        auditId: newId(),
        ip: caller.ip,
        userAgent: caller.userAgent ?? null,
        now: database.now(),
      });
      if (!row) return refuse('SESSION_ENDED');
      if (row.outcome === 'reused') {
        revocationsOf(tenant.id).add([claims.sessionId]);
        await revocationsOf(tenant.id).knownToAll();
        return refuse('SESSION_ENDED', {}, 'This refresh token was used before: the session has been ended.');
      }
      if (row.outcome === 'disabled') return refuse('ACCOUNT_DISABLED');
      const tokens = await tokensFor(tenant, {
        sessionId: claims.sessionId,
        deviceId: row.device_id,
        userId: row.user_id,
        counter: row.counter,
        role: row.role,
        epoch: row.epoch,
        amr: row.amr,
        style: 'jwt',
        expiresAt: row.expires_at,
        now: row.now,
      });
      return { ok: true, tenant, tokens };
    },
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
    findOfChat: (tenant, userId, chatId) =>
      readSessionOfChat(databaseOf(tenant.id), {
        tenantId: tenant.id,
        userId,
        chatId,
        idleSeconds: tenant.policy.sessionIdleSeconds ?? null,
      }),
    async endOfChats(sql, { tenantId, userId, chatIds, reason, actor, caller, now }) {
      const which = begunInChats(sql, userId, chatIds);
      const { ip, userAgent = null } = caller;
      const ended = await endSessionsIn(sql, { tenantId, which, reason, actor, ip, userAgent, now });
      return ended.map((row) => row.id);
    },
    async endAllOf(tenant, userId, actor, caller) {
      const { sql } = databaseOf(tenant.id);
      return summary(await endWhere(tenant, sql`s.user_id = ${userId}::uuid`, 'invalidated', actor, caller));
    },
    async told(tenantId, sessionIds) {
      const revocations = revocationsOf(tenantId);
      revocations.add(sessionIds);
      await revocations.knownToAll();
    },
    async endDevice(access, deviceId, caller) {
      const { sql } = databaseOf(access.tenant.id);
      const { tenant, userId } = access;
      const which = sql`s.user_id = ${userId}::uuid and (s.device_id = ${deviceId}::uuid or s.id = (
        select d.joined_session_id from devices d
        where d.tenant_id = ${tenant.id}::uuid and d.id = ${deviceId}::uuid and d.user_id = ${userId}::uuid))`;
      return summary(await endWhere(tenant, which, 'device_revoked', `user:${userId}`, caller));
    },
    async endChat({ tenant, userId }, chatId, scope, caller) {
      const { sql } = databaseOf(tenant.id);
      const begunThere = sql`exists (select from devices d where d.tenant_id = s.tenant_id and d.user_id = s.user_id
        and d.telegram_chat_id = ${chatId}::bigint and (d.id = s.device_id or d.joined_session_id = s.id))`;
      const scopes = { this: begunThere, others: sql`not ${begunThere}`, all: sql`true` };
      const which = sql`s.user_id = ${userId}::uuid and ${scopes[scope]}`;
      return summary(await endWhere(tenant, which, 'signed_out', `user:${userId}`, caller));
    },
    async revokeToken(token, allowedTenant, actor, caller) {
      let named: { tenant: Tenant; sessionId: string } | undefined;
      const kind = (['refresh', 'opaque'] as const).find((candidate) => isSessionToken(candidate, token));
      if (kind) {
        const claims = readSessionToken(secrets, kind, token);
        const tenant = claims && tenants.byId(claims.tenantId);
        if (claims && tenant) named = { tenant, sessionId: claims.sessionId };
      } else {
        const result = await authenticate(token);
        if (result.ok) named = { tenant: result.access.tenant, sessionId: result.access.sessionId };
      }
      if (!named || (allowedTenant !== null && named.tenant.id !== allowedTenant)) return;
      const { sql } = databaseOf(named.tenant.id);
      await endWhere(named.tenant, sql`s.id = ${named.sessionId}::uuid`, 'token_revoked', actor, caller);
    },
    devices: (access) => readDevices(databaseOf(access.tenant.id), access.tenant.id, access.userId),
    renameDevice: (access, deviceId, name, caller) =>
      renameDevice(databaseOf(access.tenant.id), {
        tenantId: access.tenant.id,
        userId: access.userId,
        deviceId,
        name,
        auditId: newId(),
        ip: caller.ip,
      }),
    endExpired: (database) => endExpired(database, tenants, endWhere),
    endIdle: (database) =>
      endIdle(
        database,
        tenants.all().filter((tenant) => databaseOf(tenant.id) === database),
        endWhere,
      ),
  };
}
