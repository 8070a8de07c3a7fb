import { availableParallelism } from 'node:os';

/** Work that was not begun because too much waits already. */
export const overloaded = Symbol('overloaded');

/** A queue with room for so much and no more. */
export interface WorkQueue {
  /** Runs the work when its turn comes, or gives `overloaded` at once. */
  run<T>(work: () => Promise<T>): Promise<T | typeof overloaded>;
  /** Is there room at this moment? */
  readonly hasRoom: boolean;
}

/**
 * Runs at most `concurrency` at once and lets at most `mostWaiting` wait: hashing takes whole cores, and without a
 * bound a flood of sign-ins would starve every other request (S28).
 */
export function createWorkQueue(concurrency: number, mostWaiting: number): WorkQueue {
  const waiting: (() => void)[] = [];
  let running = 0;
  const hasRoom = (): boolean => running < concurrency || waiting.length < mostWaiting;
  return {
    get hasRoom() {
      return hasRoom();
    },
    async run(work) {
      if (!hasRoom()) return overloaded;
      // Whoever waits is handed the place of the one that ends: `running` stays as it is.
      if (running < concurrency) running++;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running--;
      }
    },
  };
}

/**
 * One core is left to everything else where there are several; what waits is done within about a second, and beyond
 * it a client is better told to come back.
 */
export function hashingCapacity(): { concurrency: number; mostWaiting: number } {
  const concurrency = Math.max(1, availableParallelism() - 1);
  return { concurrency, mostWaiting: 20 * concurrency };
}
