/** Where the time of day comes from. Domain folders take one as an argument and never read the machine's clock. */
export interface Clock {
  /** The present moment. */
  now(): Date;
  /** True when tests drive the time: SQL then gets it as a parameter instead of asking the database. */
  readonly injected: boolean;
}

/** The machine's clock. Expiry is still decided by PostgreSQL's now(); this one dates ids, tokens and caches. */
export const systemClock: Clock = { now: () => new Date(), injected: false };

export interface ManualClock extends Clock {
  /** Moves the time forward (or back) by so many seconds. */
  advance(seconds: number): void;
}

/** A clock that stands still until a test moves it. */
export function createManualClock(start: Date): ManualClock {
  let milliseconds = start.getTime();
  return {
    injected: true,
    now: () => new Date(milliseconds),
    advance: (seconds) => {
      milliseconds += seconds * 1000;
    },
  };
}
