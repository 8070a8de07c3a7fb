/** Waiting for links to move on, in this process: told by the feed, and bounded. */
export interface LinkWatch {
  /** Resolves when the link moves, when the time is over, or at once when too many wait already. */
  wait(id: string, milliseconds: number): Promise<void>;
  moved(id: string): void;
  stop(): void;
}

/** Browsers that one server lets wait; the others ask again a little later. */
const MOST_WAITING = 2000;
/** Of one link: a browser waits once. Whoever asks two thousand times must not take the places of all others. */
const MOST_OF_ONE = 5;

export function createLinkWatch(): LinkWatch {
  const waiting = new Map<string, Set<() => void>>();
  let count = 0;
  let stopped = false;
  return {
    wait: (id, milliseconds) =>
      new Promise((resolve) => {
        const others = waiting.get(id) ?? new Set();
        if (stopped || count >= MOST_WAITING || others.size >= MOST_OF_ONE) return resolve();
        count++;
        const done = (): void => {
          clearTimeout(timer);
          if (!others.delete(done)) return;
          count--;
          if (others.size === 0) waiting.delete(id);
          resolve();
        };
        const timer = setTimeout(done, milliseconds).unref();
        waiting.set(id, others.add(done));
      }),
    moved(id) {
      for (const done of waiting.get(id) ?? []) done();
    },
    stop() {
      stopped = true;
      for (const others of [...waiting.values()]) for (const done of [...others]) done();
    },
  };
}
