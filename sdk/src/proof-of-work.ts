/** A puzzle of the server, in the form of ALTCHA: PBKDF2/SHA-256. */
export interface Challenge {
  parameters: {
    algorithm: string;
    cost: number;
    keyLength: number;
    keyPrefix: string;
    nonce: string;
    salt: string;
    [other: string]: unknown;
  };
  signature: string;
}

/** Derivations that run at once: enough for the cores of a machine, few enough to stop soon. */
const AT_ONCE = 16;
/** Far more than any challenge takes: about one try in 256 fits. */
const MOST_TRIES = 1_000_000;

/**
 * Finds the solution of a challenge, by WebCrypto and off the main thread, as X-Challenge-Solution carries it.
 * Undefined where this cannot be done: a page that is not secure has no WebCrypto, and an unknown algorithm no solution.
 */
export async function solveChallenge(challenge: Challenge): Promise<string | undefined> {
  const { algorithm, cost, keyLength, keyPrefix, nonce, salt } = challenge.parameters;
  const subtle = globalThis.crypto.subtle as typeof globalThis.crypto.subtle | undefined;
  if (algorithm !== 'PBKDF2/SHA-256' || subtle === undefined) return undefined;
  const start = bytesOf(nonce);
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt: bytesOf(salt), iterations: cost };

  const derive = async (counter: number): Promise<string> => {
    const password = new Uint8Array(start.length + 4);
    password.set(start);
    new DataView(password.buffer).setUint32(start.length, counter);
    const key = await subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
    return hexOf(await subtle.deriveBits(parameters, key, keyLength * 8));
  };

  for (let first = 0; first < MOST_TRIES; first += AT_ONCE) {
    const keys = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => derive(first + index)));
    const found = keys.findIndex((key) => key.startsWith(keyPrefix));
    if (found >= 0) {
      const solution = { counter: first + found, derivedKey: keys[found] };
      return btoa(JSON.stringify({ challenge, solution }));
    }
  }
  return undefined;
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  );
}

function hexOf(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
