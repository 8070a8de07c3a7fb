import { createLru } from '../kernel/lru.ts';

/** A bucket of reads for each caller of this server: `burst` at once, and then so many a second. */
export interface ReadLimit {
  /** @returns seconds to wait; 0: go on */
  take(key: string): number;
}

const MOST_CALLERS = 20_000;

/** In memory: what reads cost is this process's alone. @param now a clock that only runs forward, in milliseconds */
export function createReadLimit(burst: number, perSecond: number, now: () => number): ReadLimit {
  const buckets = createLru<string, { left: number; at: number }>(MOST_CALLERS);
  return {
    take(key) {
      const at = now();
      const bucket = buckets.get(key) ?? { left: burst, at };
      const left = Math.min(burst, bucket.left + ((at - bucket.at) / 1000) * perSecond);
      buckets.set(key, { left: left < 1 ? left : left - 1, at });
      return left < 1 ? Math.max(1, Math.ceil((1 - left) / perSecond)) : 0;
    },
  };
}
