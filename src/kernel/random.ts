import { randomBytes } from 'node:crypto';

const POOL_BYTES = 8192;

/**
 * Bytes from the operating system's generator, drawn in larger pieces: one call to it costs more than what most uses
 * do with the bytes. Each byte is handed out once.
 */
export function createRandomPool(): (size: number) => Buffer {
  let pool = Buffer.alloc(0);
  let used = 0;
  return (size) => {
    if (size > POOL_BYTES / 4) return randomBytes(size);
    if (used + size > pool.byteLength) {
      pool = randomBytes(POOL_BYTES);
      used = 0;
    }
    used += size;
    return pool.subarray(used - size, used);
  };
}
