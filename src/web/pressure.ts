import type { Log } from '../kernel/log.ts';

/** How far behind its own clock this process is. */
export interface Pressure {
  /** Is it later than it may be? @param now performance.now() */
  isTooHigh(now: number): boolean;
  stop(): void;
}

const BEAT_MILLISECONDS = 50;

/**
 * Watches the event loop: when a round of it takes that long, more has arrived than can be done,
 * and whoever comes now would wait behind all of it. Late by its last beat, or by the one that is due now.
 */
export function watchPressure(longestDelayMilliseconds: number): Pressure {
  let due = performance.now() + BEAT_MILLISECONDS;
  let late = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    late = now - due;
    due = now + BEAT_MILLISECONDS;
  }, BEAT_MILLISECONDS).unref();
  return {
    isTooHigh: (now) => late > longestDelayMilliseconds || now - due > longestDelayMilliseconds,
    stop: () => clearInterval(timer),
  };
}

const TELL_EVERY_MILLISECONDS = 10_000;

/** Tells the log that requests are refused: at the first, then at most once in ten seconds and how many there were. */
export function createOverloadTeller(log: Log): () => void {
  let untold = 0;
  let toldAt = -Infinity;
  return () => {
    untold += 1;
    const now = performance.now();
    if (now - toldAt < TELL_EVERY_MILLISECONDS) return;
    log.warn(
      { event: 'overloaded', count: untold },
      'more is asked than this server can do: requests are refused until those before them are done',
    );
    toldAt = now;
    untold = 0;
  };
}
