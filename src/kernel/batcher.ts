import { QueueFull } from './queue-full.ts';

export type Batcher<I, O> = {
  /** Resolves with this item's own result; rejects with the error of the flush that carried it, or with QueueFull. */
  add(item: I): Promise<O>;
  /** Would an item be taken now? */
  hasRoom(): boolean;
  /** Resolves once nothing waits and nothing is in flight, items added meanwhile included. Never rejects. */
  drain(): Promise<void>;
};

export type BatcherOptions<I, O> = {
  /** Takes 1 to `maxBatch` items and resolves with one result for each, in the same order. */
  flush: (items: I[]) => Promise<O[]>;
  maxBatch: number;
  /** How many flushes may run at once; 1 where it is left out. */
  maxInFlight?: number;
  /**
   * While a whole batch waits, and something in it longer than this, nothing more is taken; left out: everything is. A
   * short queue only stalled: it goes with the next flush.
   */
  longestWaitMilliseconds?: number | undefined;
};

type Waiting<I, O> = {
  item: I;
  since: number;
  resolve: (result: O) => void;
  reject: (error: unknown) => void;
};

/**
 * Joins items that arrive close together into one call, as a group commit does: an idle batcher sends at
 * the end of the tick, so nothing waits for company, and what arrives during a flush goes together in the
 * next one. A failing flush rejects exactly its own items. A flush that answers with another number of
 * results rejects them too: nobody may get somebody else's. Nothing is retried.
 */
export function createBatcher<I, O>({
  flush,
  maxBatch,
  maxInFlight = 1,
  longestWaitMilliseconds = Infinity,
}: BatcherOptions<I, O>): Batcher<I, O> {
  if (!(maxBatch >= 1) || !(maxInFlight >= 1))
    throw new RangeError('maxBatch and maxInFlight are at least 1');
  let waiting: Waiting<I, O>[] = [];
  let inFlight = 0;
  let isScheduled = false;
  let drained: (() => void)[] = [];

  // setImmediate, not a microtask: it runs after every request that was read from the network in this turn.
  const schedule = () => {
    if (isScheduled || waiting.length === 0 || inFlight >= maxInFlight) return;
    isScheduled = true;
    setImmediate(send);
  };

  const send = () => {
    isScheduled = false;
    while (waiting.length > 0 && inFlight < maxInFlight) {
      const batch = waiting.length <= maxBatch ? waiting : waiting.slice(0, maxBatch);
      waiting = batch === waiting ? [] : waiting.slice(maxBatch);
      inFlight += 1;
      void settle(batch);
    }
  };

  const settle = async (batch: Waiting<I, O>[]) => {
    try {
      const results = await flush(batch.map(({ item }) => item));
      if (results.length !== batch.length) {
        throw new Error(`a flush of ${batch.length} items gave ${results.length} results`);
      }
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as O);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    inFlight -= 1;
    schedule();
    if (inFlight === 0 && waiting.length === 0) {
      for (const done of drained) done();
      drained = [];
    }
  };

  const hasRoom = (now: number): boolean => {
    const [oldest] = waiting;
    return !oldest || waiting.length < maxBatch || now - oldest.since <= longestWaitMilliseconds;
  };

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        const since = performance.now();
        if (!hasRoom(since)) throw new QueueFull('too much waits already');
        waiting.push({ item, since, resolve, reject });
        schedule();
      }),
    hasRoom: () => hasRoom(performance.now()),
    drain: () =>
      new Promise((resolve) => {
        if (inFlight === 0 && waiting.length === 0) resolve();
        else drained.push(resolve);
      }),
  };
}
