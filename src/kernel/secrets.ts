import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { createRandomPool } from './random.ts';

/** What a derived key is for. One key never serves two purposes. */
export type KeyPurpose =
  | 'code'
  | 'handle'
  | 'session-token'
  | 'reset-token'
  | 'second-proof'
  | 'audit'
  | 'notice-link'
  | 'password-salt'
  | 'api-key'
  | 'seal'
  | 'caller'
  | 'form'
  | 'challenge'
  | 'idempotency'
  | 'telegram-webhook';

/**
 * Keys derived from the deployment's secrets. The first secret is current: it makes everything new. The others
 * only verify and open what they made before a rotation.
 */
export interface Secrets {
  /** Keyed hash (HMAC-SHA256, 32 bytes) under the current secret. */
  mac(purpose: KeyPurpose, ...parts: (string | Uint8Array)[]): Buffer;
  /** The same under each secret, current first: candidates when something stored earlier is looked up. */
  macs(purpose: KeyPurpose, ...parts: (string | Uint8Array)[]): Buffer[];
  /** Encrypts with AES-256-GCM: 4 bytes key name, 12 bytes nonce, 16 bytes tag, ciphertext. `context` is bound. */
  seal(plain: string | Uint8Array, context: string): Buffer;
  /** Opens what seal() made. Throws when the key is gone, the context differs or a bit was changed. */
  open(sealed: Uint8Array, context: string): Buffer;
}

/** Something was sealed with a secret that is not among the configured ones. */
export class UnknownSecret extends Error {
  override readonly name = 'UnknownSecret';
  constructor() {
    super('sealed with a secret that is no longer configured');
  }
}

const SEAL_HEADER = 4 + 12 + 16;

const randomPool = createRandomPool();

/**
 * Derives all keys from the configured secrets (HKDF-SHA256, RFC 5869).
 * @param secrets at least one, each at least 32 bytes, current first
 */
export function createSecrets(secrets: readonly string[]): Secrets {
  const generations = secrets.map((secret) => {
    const keys = new Map<KeyPurpose, KeyObject>();
    const key = (purpose: KeyPurpose): KeyObject => {
      let derived = keys.get(purpose);
      if (!derived) {
        // A key object, not bytes: from bytes each HMAC and cipher would make one anew, which costs six times the hash.
        derived = createSecretKey(Buffer.from(hkdfSync('sha256', secret, 'firstproof', purpose, 32)));
        keys.set(purpose, derived);
      }
      return derived;
    };
    const name = createHmac('sha256', key('seal')).update('key name').digest().subarray(0, 4);
    return { key, name };
  });
  const current = generations[0];
  if (!current) throw new Error('at least one secret is needed');

  return {
    mac: (purpose, ...parts) => macOf(current.key(purpose), parts),
    macs: (purpose, ...parts) => generations.map((generation) => macOf(generation.key(purpose), parts)),
    seal(plain, context) {
      const nonce = randomPool(12);
      const cipher = createCipheriv('aes-256-gcm', current.key('seal'), nonce);
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([current.name, nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const name = bytes.subarray(0, 4);
      const generation = generations.find((candidate) => constantTimeEqual(candidate.name, name));
      if (!generation) throw new UnknownSecret();
      const decipher = createDecipheriv('aes-256-gcm', generation.key('seal'), bytes.subarray(4, 16));
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(16, SEAL_HEADER));
      return Buffer.concat([decipher.update(bytes.subarray(SEAL_HEADER)), decipher.final()]);
    },
  };
}

/** The text that was sealed; undefined where its secret is gone, the context differs or a bit was changed. */
export function openText(secrets: Secrets, sealed: Uint8Array, context: string): string | undefined {
  try {
    return secrets.open(sealed, context).toString();
  } catch {
    return undefined;
  }
}

/** Each part is preceded by its length, so that ('ab','c') and ('a','bc') never share a hash. */
function macOf(key: KeyObject, parts: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', key);
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.byteLength);
    hmac.update(length).update(bytes);
  }
  return hmac.digest();
}

/** Compares two byte strings without telling by time where they differ. Different lengths are unequal. */
export function constantTimeEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

/** So many bytes from the operating system's generator, as base64url without padding. */
export function randomToken(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
