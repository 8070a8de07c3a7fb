import type { Caller } from '../audit/audit.ts';
import type { Fragment, Sql } from '../db/database.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { Tenant } from '../tenants/tenants.ts';
import {
  type Access,
  type Authenticate,
  type Authenticated,
  type AuthenticateOptions,
  createAuthenticate,
} from './authenticate.ts';
import { accessLifetime, deviceNameOf, idleSecondsOf, issuerOf, REFRESH_GRACE_SECONDS } from './policy.ts';
import { createRevocations, type Revocations } from './revocations.ts';
import {
  type ChatSession,
  findJoining,
  joinFragment,
  type Joining,
  type JoiningQuery,
  readSessionOfChat,
  SHARED_INDEX,
} from './sharing.ts';
import {
  type DeviceRow,
  disputeDevices,
  ownDevicesFragment,
  readDevices,
  renameDevice,
} from './device-store.ts';
import { createEnding, type Ending, type Owner } from './ending.ts';
import { endAllSessions, endSessions } from './end-store.ts';
import { openFragment, refreshSession, sweepSessions, touchSessions } from './store.ts';
import { deviceToken, readDeviceToken, readSessionToken, sessionToken } from './tokens.ts';

export type { Access, Authenticated, ChatSession, DeviceRow, Joining, Revocations };
export { createRevocations, endAllSessions, endSessions, issuerOf, SHARED_INDEX, sweepSessions };
export { disputeDevices, ownDevicesFragment as ownDevices };
export { eraseDevices, readSessionsOf, type SessionRow } from './directory-store.ts';
export { endDisputedSessions, endFormerFragment as endFormer, endOtherSessions } from './end-store.ts';
export { type GivenSession, givenSessionColumns, openEachFragment as openEach } from './plain-open-store.ts';
export { prepareSession } from './prepare-session.ts';
export type { Ended, Owner, SignOutScope } from './ending.ts';
export { addProof, clearProofs, liveSession, type ProofMethod, readProofs } from './proof-store.ts';

export type SessionStyle = 'jwt' | 'opaque';

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

export interface Sessions extends Ending {
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
  authenticate: Authenticate;
  /** Notes that a session is in use; written in batches, at most once a minute for each. */
  noteUse(access: Access, ip: () => string): void;
  /** @param named the tenant the request names, if any; it must be the token's own */
  refresh(
    refreshToken: string,
    caller: Caller,
    named: string | undefined,
  ): Promise<{ ok: true; tenant: Tenant; tokens: Tokens } | Refused>;
  /** The live session whose token a chat holds; `chatId` null: any live one of the account. */
  findOfChat(tenant: Tenant, userId: string, chatId: string | null): Promise<ChatSession | undefined>;
  devices(owner: Owner): Promise<DeviceRow[]>;
  renameDevice(owner: Owner, deviceId: string, name: string, caller: Caller): Promise<boolean>;
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
  const { tenants, secrets, keys, clock, databaseOf, newId } = options;
  const { authenticate, forget } = createAuthenticate(options);
  const ending = createEnding(options, authenticate);
  let uses = new Map<string, { tenantId: string; sessionId: string; ip: string }>();

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
    ...ending,
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
        await ending.told(tenant.id, [claims.sessionId]);
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
    findOfChat: (tenant, userId, chatId) =>
      readSessionOfChat(databaseOf(tenant.id), {
        tenantId: tenant.id,
        userId,
        chatId,
        idleSeconds: tenant.policy.sessionIdleSeconds ?? null,
      }),
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
  };
}
