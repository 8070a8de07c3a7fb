export type Lru<K, V> = {
  /** The value, which becomes the most recently used one; undefined where there is none. */
  get(key: K): V | undefined;
  /** Stores the value as the most recently used one; the least recently used one goes when it is full. */
  set(key: K, value: V): void;
  /** True when there was one. */
  delete(key: K): boolean;
  clear(): void;
  readonly size: number;
};

type Entry<K, V> = { key: K; value: V; older: Entry<K, V>; newer: Entry<K, V> };

/**
 * A map that never holds more than `capacity` entries, each operation in constant time.
 * Throws RangeError where `capacity` is not a whole number of at least 1.
 */
export function createLru<K, V>(capacity: number): Lru<K, V> {
  if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError('an LRU holds at least one entry');
  // A ring of its own and not the order of the Map: finding a Map's first key walks past every key deleted
  // since its last rehash, measured at 9 µs an eviction instead of 0.3.
  const entries = new Map<K, Entry<K, V>>();
  const ring = {} as Entry<K, V>;
  ring.older = ring;
  ring.newer = ring;

  const unlink = (entry: Entry<K, V>) => {
    entry.older.newer = entry.newer;
    entry.newer.older = entry.older;
  };
  const linkNewest = (entry: Entry<K, V>) => {
    entry.older = ring.older;
    entry.newer = ring;
    ring.older.newer = entry;
    ring.older = entry;
  };

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      unlink(entry);
      linkNewest(entry);
      return entry.value;
    },
    set(key, value) {
      const known = entries.get(key);
      if (known !== undefined) {
        known.value = value;
        unlink(known);
        linkNewest(known);
        return;
      }
      if (entries.size >= capacity) {
        entries.delete(ring.newer.key);
        unlink(ring.newer);
      }
      const entry: Entry<K, V> = { key, value, older: ring, newer: ring };
      entries.set(key, entry);
      linkNewest(entry);
    },
    delete(key) {
      const entry = entries.get(key);
      if (entry === undefined) return false;
      unlink(entry);
      return entries.delete(key);
    },
    clear() {
      entries.clear();
      ring.older = ring;
      ring.newer = ring;
    },
    get size() {
      return entries.size;
    },
  };
}
