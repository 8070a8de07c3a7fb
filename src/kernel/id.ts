const LAST_COUNT = 0xfff;
const POOL_BYTES = 4_096;
// Per id: two bytes for the counter's start and eight for rand_b.
const RANDOM_PER_ID = 10;

const DASH = 0x2d;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export type IdSources = {
  now: () => Date;
  /** Bytes from a CSPRNG. */
  randomBytes: (size: number) => Uint8Array;
};

/**
 * Makes UUIDv7 keys (RFC 9562 5.7): 48 bits of milliseconds, 12 bits of counter, 62 random bits.
 *
 * Within one process each id is greater than the one before, also inside a millisecond and when the clock
 * steps back (6.2, method 1): the counter starts at a random value below half its range, and when it is
 * spent the timestamp runs ahead by one. An id is unique, not secret: a secret handle needs random bytes of
 * its own.
 */
export function createIdFactory({ now, randomBytes }: IdSources): () => string {
  let pool: Uint8Array = new Uint8Array(0);
  let used = 0;
  let millisecond = -1;
  let count = 0;

  return () => {
    // Random bytes are drawn for some 400 ids at once: one call to the system's source costs more than an id.
    if (used + RANDOM_PER_ID > pool.length) {
      pool = randomBytes(POOL_BYTES);
      used = 0;
    }
    const at = used;
    used += RANDOM_PER_ID;

    const clock = now().getTime();
    if (clock > millisecond) {
      millisecond = clock;
      count = ((pool[at]! << 8) | pool[at + 1]!) & 0x7ff;
    } else if (count < LAST_COUNT) {
      count += 1;
    } else {
      millisecond += 1;
      count = 0;
    }

    const high = Math.floor(millisecond / 0x1_0000) % 0x1_0000_0000;
    return (
      `${HEX[high >>> 24]}${HEX[(high >>> 16) & 255]}${HEX[(high >>> 8) & 255]}${HEX[high & 255]}` +
      `-${HEX[(millisecond % 0x1_0000) >>> 8]}${HEX[millisecond % 256]}` +
      `-${HEX[0x70 | (count >>> 8)]}${HEX[count & 255]}` +
      `-${HEX[0x80 | (pool[at + 2]! & 0x3f)]}${HEX[pool[at + 3]!]}` +
      `-${HEX[pool[at + 4]!]}${HEX[pool[at + 5]!]}` +
      `${HEX[pool[at + 6]!]}${HEX[pool[at + 7]!]}${HEX[pool[at + 8]!]}${HEX[pool[at + 9]!]}`
    );
  };
}

/** True for the canonical spelling of a UUID of RFC 9562, any version: lower case with dashes. */
export function isUuid(text: string): boolean {
  return text.length === 36 && UUID.test(text);
}

/** The 16 bytes of a UUID. Throws TypeError where `isUuid` is false: check what a stranger sent first. */
export function uuidToBytes(uuid: string): Uint8Array<ArrayBuffer> {
  if (!isUuid(uuid)) throw new TypeError('not a UUID');
  const bytes = new Uint8Array(16);
  for (let at = 0, index = 0; index < 16; at += 2, index += 1) {
    if (uuid.charCodeAt(at) === DASH) at += 1;
    bytes[index] = (nibble(uuid.charCodeAt(at)) << 4) | nibble(uuid.charCodeAt(at + 1));
  }
  return bytes;
}

/** The canonical spelling of 16 bytes. Throws TypeError on any other length. */
export function bytesToUuid(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new TypeError('a UUID has 16 bytes');
  let text = '';
  for (let index = 0; index < 16; index += 1) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += HEX[bytes[index]!]!;
  }
  return text;
}

function nibble(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** The smallest UUIDv7 of a moment: every id made since is not below it (RFC 9562, 5.7). */
export function firstIdOf(moment: Date): string {
  const hex = Math.max(0, moment.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
