import type { JWTPayload } from 'jose';
import type { Database } from '../db/database.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import { createLru } from '../kernel/lru.ts';
import type { Secrets } from '../kernel/secrets.ts';
import type { Keys } from '../keys/keys.ts';
import type { Tenant, Tenants } from '../tenants/tenants.ts';
import { idleSecondsOf, issuerOf } from './policy.ts';
import type { Revocations } from './revocations.ts';
import { readLiveSession } from './store.ts';
import { isSessionToken, readSessionToken } from './tokens.ts';

/** Somebody who is signed in, as their token says. */
export interface Access {
  tenant: Tenant;
  userId: string;
  sessionId: string;
  deviceId: string;
  role: string;
  style: 'jwt' | 'opaque';
  /** The key that signed the token; null for opaque ones. */
  kid: string | null;
  amr: readonly string[];
  /** Seconds since the epoch at which this token ends. */
  expiresAt: number;
  issuedAt: number;
  /** When the use of the session was last noted, in milliseconds; 0: not yet by this server. */
  notedAt: number;
}

export type Authenticated = { ok: true; access: Access } | Refused;

/** Whose a token is, as far as it still counts. */
export type Authenticate = (token: string) => Promise<Authenticated> | Authenticated;

export interface AuthenticateOptions {
  keys: Keys;
  tenants: Tenants;
  secrets: Secrets;
  clock: Clock;
  publicUrl: string;
  databaseOf: (tenantId: string) => Database;
  revocationsOf: (tenantId: string) => Revocations;
}

/** Tokens whose signature was verified a moment ago; what may change about them is looked at each time. */
const REMEMBERED_TOKENS = 10_000;

/**
 * Checks access tokens and opaque session tokens from memory: no query while the revocation feed is live, and one
 * when it is not.
 */
export function createAuthenticate(options: AuthenticateOptions): {
  authenticate: Authenticate;
  /** Forgets an opaque session that ended. */
  forget(sessionId: string): void;
} {
  const { keys, tenants, secrets, clock } = options;
  const verified = createLru<string, Access>(REMEMBERED_TOKENS);
  const opaque = createLru<string, Access>(REMEMBERED_TOKENS);

  function expectedFor(tenantId: string): { issuer: string; audience: string } | undefined {
    const tenant = tenants.byId(tenantId);
    return tenant && { issuer: issuerOf(options.publicUrl, tenant.slug), audience: tenant.slug };
  }

  /** The last word: time, then the signing key, then the sessions that ended, from memory or, with the feed lost, from the database. */
  function admit(access: Access): Authenticated | Promise<Authenticated> {
    if (access.expiresAt * 1000 <= clock.now().getTime()) {
      return refuse(access.style === 'jwt' ? 'TOKEN_EXPIRED' : 'SESSION_ENDED');
    }
    const trusted = access.kid === null || keys.trusts(access.kid);
    if (trusted === true) return admitSession(access);
    if (trusted === false) return refuse('TOKEN_INVALID');
    return trusted.then((trusts) => (trusts ? admitSession(access) : refuse('TOKEN_INVALID')));
  }

  function admitSession(access: Access): Authenticated | Promise<Authenticated> {
    const tenant = tenants.byId(access.tenant.id);
    if (!tenant) return refuse('TOKEN_INVALID');
    // A token is remembered for as long as it lives: what its tenant has closed since must not stay open to it.
    access.tenant = tenant;
    const revocations = options.revocationsOf(tenant.id);
    if (revocations.has(access.sessionId)) return refuse('SESSION_ENDED');
    if (revocations.reliable) return { ok: true, access };
    return readLiveSession(options.databaseOf(access.tenant.id), access.tenant.id, access.sessionId).then(
      (live) => (live ? { ok: true, access } : refuse('SESSION_ENDED')),
    );
  }

  async function verifyJwt(token: string): Promise<Authenticated> {
    const result = await keys.verify(token, expectedFor);
    if (!result.ok) return refuse(result.reason === 'expired' ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID');
    const tenant = tenants.byId(result.tenantId);
    if (!tenant) return refuse('TOKEN_INVALID');
    const access = accessOf(tenant, result.kid, result.payload);
    verified.set(token, access);
    return admit(access);
  }

  /** Unused for longer than its tenant allows, as far as this server has noted (to the minute) or was told. */
  function isIdle(access: Access, tenant: Tenant): boolean {
    const idleSeconds = idleSecondsOf(tenant, access.role);
    if (idleSeconds === undefined) return false;
    const lastUsed = Math.max(access.notedAt, access.issuedAt * 1000);
    return clock.now().getTime() - lastUsed > idleSeconds * 1000;
  }

  async function verifyOpaque(token: string): Promise<Authenticated> {
    const claims = readSessionToken(secrets, 'opaque', token);
    const tenant = claims && tenants.byId(claims.tenantId);
    if (!claims || !tenant) return refuse('TOKEN_INVALID');
    const known = opaque.get(claims.sessionId);
    if (known && !isIdle(known, tenant)) return admit(known);
    const live = await readLiveSession(options.databaseOf(tenant.id), tenant.id, claims.sessionId);
    if (live?.style !== 'opaque' || live.counter !== claims.counter) return refuse('SESSION_ENDED');
    const access: Access = {
      tenant,
      userId: live.user_id,
      sessionId: live.id,
      deviceId: live.device_id,
      role: live.role,
      style: 'opaque',
      kid: null,
      amr: live.amr,
      expiresAt: Math.floor(live.expires_at.getTime() / 1000),
      issuedAt: Math.floor(live.last_used_at.getTime() / 1000),
      notedAt: 0,
    };
    if (isIdle(access, tenant)) return refuse('SESSION_ENDED');
    // It may have ended while the database was asked, and been forgotten before it was remembered.
    if (!options.revocationsOf(tenant.id).has(access.sessionId)) opaque.set(access.sessionId, access);
    return admit(access);
  }

  return {
    authenticate(token) {
      const known = verified.get(token);
      if (known) return admit(known);
      return isSessionToken('opaque', token) ? verifyOpaque(token) : verifyJwt(token);
    },
    forget: (sessionId) => {
      opaque.delete(sessionId);
    },
  };
}

function accessOf(tenant: Tenant, kid: string, payload: JWTPayload): Access {
  return {
    tenant,
    userId: String(payload.sub),
    sessionId: String(payload['sid']),
    deviceId: String(payload['did']),
    role: String(payload['role']),
    style: 'jwt',
    kid,
    amr: Array.isArray(payload['amr']) ? payload['amr'].map(String) : [],
    expiresAt: payload.exp ?? 0,
    issuedAt: payload.iat ?? 0,
    notedAt: 0,
  };
}
