import { createPrivateKey, generateKeyPair, type KeyObject, sign, type webcrypto } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { decodeProtectedHeader, errors, exportJWK, importJWK, type JWTPayload, jwtVerify } from 'jose';
import type { Database } from '../db/database.ts';
import type { Feed } from '../db/feed.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { oneAtATime } from '../kernel/one-at-a-time.ts';
import { randomToken, type Secrets } from '../kernel/secrets.ts';
import { insertKeys, KEYS_TOPIC, readKeys, rotate, type SigningKeyRow } from './store.ts';

const ALGORITHM = 'ES256';
const TOKEN_TYPE = 'at+jwt';
/** An outgoing key verifies for the longest life an access token can have, and five minutes for slow clocks. */
const RETIRE_AFTER_SECONDS = 86_400 + 300;
/** Verifiers keep the JWKS for five minutes (api/well-known.ts): a key signs only after all of them have met it. */
const PUBLISHED_FOR_SECONDS = 300;
/** An unknown kid makes a server look into the database, but not more often than this, however many are tried. */
const LOOK_AT_MOST_EVERY_MILLISECONDS = 50;

interface LoadedKey {
  tenantId: string;
  kid: string;
  state: SigningKeyRow['state'];
  notBefore: Date;
  retireAt: Date | null;
  publicJwk: Record<string, unknown>;
  publicKey: webcrypto.CryptoKey;
  privateKey: KeyObject;
  /** The encoded header of every token it signs. */
  header: string;
}

/** What a token must say about where it comes from and whom it is for. */
export interface Expected {
  issuer: string;
  audience: string;
}

export type VerifiedToken =
  | { ok: true; tenantId: string; kid: string; payload: JWTPayload }
  | { ok: false; reason: 'invalid' | 'expired' };

/** Signing keys: one family (ES256), a set for each tenant, private halves sealed at rest. */
export interface Keys {
  /** Makes the first two keys of a tenant (active and next) where they are missing. */
  ensure(tenantId: string): Promise<void>;
  /** Signs an access token (RFC 9068) with the tenant's active key. */
  sign(tenantId: string, claims: JWTPayload): Promise<string>;
  /**
   * Verifies an access token: own kid, ES256 only, typ at+jwt, issuer and audience of the key's tenant, exp with no
   * leeway of its own (RFC 8725 3.1, 3.8, 3.9, 3.11). Headers jku, x5u and jwk are never looked at.
   */
  verify(token: string, expectedFor: (tenantId: string) => Expected | undefined): Promise<VerifiedToken>;
  /**
   * Does a key still verify? From memory while this server hears of rotations; else the database is asked. Whoever
   * remembers that a token was verified asks again at each use, or an emergency rotation would not reach it.
   */
  trusts(kid: string): boolean | Promise<boolean>;
  /** Public keys that verify now or soon, of one tenant or of all (RFC 7517). */
  jwks(tenantId?: string): { keys: Record<string, unknown>[] };
  /**
   * Makes the published next key the signing one. The outgoing key goes on verifying, unless in an emergency.
   * @returns false when another server was faster, or when the next key has been published for less than the five
   *   minutes that verifiers may keep the JWKS (an emergency does not wait for them)
   */
  rotate(tenantId: string, options: { emergency: boolean; actor: string }): Promise<boolean>;
  /** The moment since which the tenant's active key has signed. */
  activeSince(tenantId: string): Date | undefined;
  reload(database: Database): Promise<void>;
  follow(feed: Feed, database: Database): void;
}

export interface KeysOptions {
  databaseOf: (tenantId: string) => Database;
  secrets: Secrets;
  clock: Clock;
  newId: () => string;
  log: Log;
}

const generate = promisify(generateKeyPair);

export function createKeys(options: KeysOptions): Keys {
  const { databaseOf, secrets, clock, log } = options;
  const byKid = new Map<string, LoadedKey>();
  const active = new Map<string, LoadedKey>();
  const feeds = new Map<Database, Feed>();
  const readers = new Map<Database, () => Promise<void>>();
  let lastRead = 0;

  const isOver = (key: LoadedKey): boolean => key.retireAt !== null && key.retireAt <= clock.now();
  const hears = (tenantId: string): boolean => feeds.get(databaseOf(tenantId))?.live ?? false;

  /** Resolves once a read that began after this call is in memory. */
  function reload(database: Database): Promise<void> {
    let reader = readers.get(database);
    if (!reader) {
      reader = oneAtATime(() => read(database));
      readers.set(database, reader);
    }
    return reader();
  }

  async function read(database: Database): Promise<void> {
    lastRead = performance.now();
    const rows = await readKeys(database);
    const seen = new Set(rows.map((row) => row.kid));
    const loaded = await Promise.all(rows.map(load));
    for (const key of byKid.values()) {
      if (databaseOf(key.tenantId) === database && !seen.has(key.kid)) byKid.delete(key.kid);
    }
    for (const key of loaded) {
      byKid.set(key.kid, key);
      if (key.state === 'active') active.set(key.tenantId, key);
    }
  }

  async function load(row: SigningKeyRow): Promise<LoadedKey> {
    const known = byKid.get(row.kid);
    if (known) return { ...known, state: row.state, notBefore: row.not_before, retireAt: row.retire_at };
    const der = secrets.open(row.private_key_sealed, `signing-key:${row.tenant_id}:${row.kid}`);
    return {
      tenantId: row.tenant_id,
      kid: row.kid,
      state: row.state,
      notBefore: row.not_before,
      retireAt: row.retire_at,
      publicJwk: row.public_jwk,
      publicKey: (await importJWK(row.public_jwk, ALGORITHM)) as webcrypto.CryptoKey,
      header: Buffer.from(JSON.stringify({ alg: ALGORITHM, typ: TOKEN_TYPE, kid: row.kid })).toString(
        'base64url',
      ),
      privateKey: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }),
    };
  }

  async function make(tenantId: string, state: 'active' | 'next'): Promise<SigningKeyRow> {
    const { publicKey, privateKey } = await generate('ec', { namedCurve: 'P-256' });
    const kid = randomToken(12);
    const der = privateKey.export({ format: 'der', type: 'pkcs8' });
    return {
      tenant_id: tenantId,
      kid,
      alg: ALGORITHM,
      private_key_sealed: secrets.seal(der, `signing-key:${tenantId}:${kid}`),
      public_jwk: { ...(await exportJWK(publicKey)), kid, alg: ALGORITHM, use: 'sig' },
      state,
      not_before: clock.now(),
      retire_at: null,
    };
  }

  async function keyFor(kid: string): Promise<LoadedKey | undefined> {
    const known = byKid.get(kid);
    if (known) return (await trusts(kid)) ? known : undefined;
    // Another server may have rotated a moment ago, before its notice reached this one.
    const pause = lastRead + LOOK_AT_MOST_EVERY_MILLISECONDS - performance.now();
    if (pause > 0) await sleep(pause);
    const databases = new Set([...active.keys()].map(databaseOf));
    await Promise.all([...databases].map(reload));
    return byKid.get(kid);
  }

  function trusts(kid: string): boolean | Promise<boolean> {
    const key = byKid.get(kid);
    if (!key || isOver(key)) return false;
    if (hears(key.tenantId)) return true;
    return reload(databaseOf(key.tenantId)).then(() => byKid.has(kid));
  }

  return {
    reload,
    trusts,
    follow(feed, database) {
      feeds.set(database, feed);
      const again = (): void => {
        reload(database).catch((error: unknown) =>
          log.warn({ event: 'keys_reload', error }, 'keys could not be read'),
        );
      };
      feed.on(KEYS_TOPIC, again);
      feed.onRestored(() => reload(database));
    },
    async ensure(tenantId) {
      if (active.has(tenantId)) return;
      const database = databaseOf(tenantId);
      await insertKeys(database, [await make(tenantId, 'active'), await make(tenantId, 'next')]);
      await reload(database);
    },
    async sign(tenantId, claims) {
      if (!hears(tenantId)) await reload(databaseOf(tenantId));
      const key = active.get(tenantId);
      if (!key) throw new Error(`tenant ${tenantId} has no signing key; ensure() was not called for it`);
      return signCompact(key, claims);
    },
    async verify(token, expectedFor) {
      try {
        const { kid } = decodeProtectedHeader(token);
        const key = typeof kid === 'string' ? await keyFor(kid) : undefined;
        const expected = key && expectedFor(key.tenantId);
        if (!key || !expected) return { ok: false, reason: 'invalid' };
        const { payload } = await jwtVerify(token, key.publicKey, {
          algorithms: [ALGORITHM],
          typ: TOKEN_TYPE,
          issuer: expected.issuer,
          audience: expected.audience,
          currentDate: clock.now(),
          requiredClaims: ['sub', 'exp', 'iat', 'jti', 'sid', 'tid'],
        });
        if (payload['tid'] !== key.tenantId) return { ok: false, reason: 'invalid' };
        return { ok: true, tenantId: key.tenantId, kid: key.kid, payload };
      } catch (fault) {
        if (fault instanceof errors.JWTExpired) return { ok: false, reason: 'expired' };
        if (fault instanceof errors.JOSEError || fault instanceof TypeError)
          return { ok: false, reason: 'invalid' };
        throw fault;
      }
    },
    jwks(tenantId) {
      const keys = [...byKid.values()].filter(
        (key) => !isOver(key) && (tenantId === undefined || key.tenantId === tenantId),
      );
      return { keys: keys.map((key) => key.publicJwk) };
    },
    async rotate(tenantId, { emergency, actor }) {
      const database = databaseOf(tenantId);
      await reload(database);
      const current = active.get(tenantId);
      if (!current) throw new Error(`tenant ${tenantId} has no signing key to rotate`);
      const rotated = await rotate(database, {
        tenantId,
        expectedActive: current.kid,
        newNext: await make(tenantId, 'next'),
        publishedForSeconds: emergency ? 0 : PUBLISHED_FOR_SECONDS,
        retireAfterSeconds: emergency ? 0 : RETIRE_AFTER_SECONDS,
        auditId: options.newId(),
        actor,
      });
      await reload(database);
      return rotated;
    },
    activeSince: (tenantId) => active.get(tenantId)?.notBefore,
  };
}

/**
 * JWS compact serialisation (RFC 7515 7.1) with ES256 (RFC 7518 3.4), synchronously: WebCrypto, which the library
 * signs through, costs several times as much for each token (docs/decisions/0007). Verifying is the library's alone.
 */
function signCompact(key: LoadedKey, claims: JWTPayload): string {
  const input = `${key.header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}
