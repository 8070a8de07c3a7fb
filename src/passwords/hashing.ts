import { scrypt as scryptCallback, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { hash as argon2Hash, parseOptions, verify as argon2Verify } from '@node-rs/argon2';

/** Argon2id, 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet; ASVS appendix C). */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;
/** Argon2id of @node-rs/argon2, whose enum is not erasable. */
const ARGON2ID = 2;

/** The most that a foreign hash may cost: an import must not be a way to exhaust the server. */
const MOST_ARGON2_MEMORY_KIB = 262_144;
const MOST_ARGON2_PASSES = 16;
const MOST_SCRYPT_LOG_N = 17;
const MOST_BCRYPT_COST = 14;

const scrypt = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scryptCallback,
);

/** Hashes a password in NFC into a PHC string that carries its parameters. */
export function hashPassword(password: string, salt?: Uint8Array): Promise<string> {
  return argon2Hash(password, { ...PARAMETERS, algorithm: ARGON2ID, ...(salt ? { salt } : {}) });
}

type HashScheme = 'argon2' | 'bcrypt' | 'scrypt';

/**
 * Which scheme a stored hash is of, if it is one that can be checked here at a bearable cost: argon2 and scrypt as PHC
 * strings, bcrypt as $2a$, $2b$ or $2y$.
 */
export function schemeOf(hash: string): HashScheme | undefined {
  if (hash.length > 512) return undefined;
  const bcrypt = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash);
  if (bcrypt) return Number(bcrypt[1]) <= MOST_BCRYPT_COST ? 'bcrypt' : undefined;
  if (readScrypt(hash)) return 'scrypt';
  if (!/^\$argon2(id|i|d)\$/.test(hash)) return undefined;
  try {
    const { memoryCost, timeCost, parallelism } = parseOptions(hash);
    const bearable =
      memoryCost <= MOST_ARGON2_MEMORY_KIB && timeCost <= MOST_ARGON2_PASSES && parallelism <= 16;
    return bearable ? 'argon2' : undefined;
  } catch {
    return undefined;
  }
}

/** Does the password fit? A hash of a scheme that is not known fits nothing. */
export async function checkPassword(password: string, hash: string): Promise<boolean> {
  switch (schemeOf(hash)) {
    case 'argon2':
      return argon2Verify(hash, password);
    case 'bcrypt': {
      const { compare } = await import('bcryptjs');
      return compare(password, hash);
    }
    case 'scrypt':
      return checkScrypt(password, hash);
    case undefined:
      return false;
  }
}

/** Was this made with other parameters than today's? Then the next sign-in makes it anew (S27). */
export function isOutdated(hash: string): boolean {
  if (schemeOf(hash) !== 'argon2' || !hash.startsWith('$argon2id$')) return true;
  const made = parseOptions(hash);
  return (
    made.memoryCost !== PARAMETERS.memoryCost ||
    made.timeCost !== PARAMETERS.timeCost ||
    made.parallelism !== PARAMETERS.parallelism ||
    made.outputLen !== PARAMETERS.outputLen
  );
}

function readScrypt(hash: string) {
  const match =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{8,128})\$([A-Za-z0-9+/]{22,172})$/.exec(
      hash,
    );
  if (!match) return undefined;
  const [, logN = '', r = '', p = '', salt = '', key = ''] = match;
  if (Number(logN) < 1 || Number(logN) > MOST_SCRYPT_LOG_N || Number(r) > 16 || Number(p) > 16)
    return undefined;
  if (Number(r) < 1 || Number(p) < 1) return undefined;
  const cost = { N: 2 ** Number(logN), r: Number(r), p: Number(p) };
  return { ...cost, salt: Buffer.from(salt, 'base64'), key: Buffer.from(key, 'base64') };
}

async function checkScrypt(password: string, hash: string): Promise<boolean> {
  const stored = readScrypt(hash);
  if (!stored) return false;
  const { N, r, p, salt, key } = stored;
  const made = await scrypt(password, salt, key.byteLength, { N, r, p, maxmem: 256 * N * r });
  return timingSafeEqual(made, key);
}
