/** So many failures in a row open it. */
const FAILURES_TO_OPEN = 5;
const FIRST_REST_MILLISECONDS = 5000;
const LONGEST_REST_MILLISECONDS = 60_000;

/**
 * A circuit breaker (Nygard, Release It!): after failures in a row nothing goes to a provider for a while, then one
 * probe does, and what becomes of it decides. Each failed probe doubles the rest, up to a minute.
 */
export interface Breaker {
  readonly state: 'closed' | 'open' | 'half_open';
  /** Milliseconds until something may go again; 0: now. While a probe is under way: until it is looked at again. */
  restsFor(): number;
  /** To be called for each try that begins: in the half-open state it is the probe. */
  begin(): void;
  succeeded(): void;
  failed(): void;
}

export interface BreakerOptions {
  /** A clock that only runs forward, in milliseconds. */
  now: () => number;
  random: () => number;
  onChange?: (state: Breaker['state']) => void;
}

/** How long others look away while a probe is under way. */
const PROBE_MILLISECONDS = 1000;

export function createBreaker({ now, random, onChange }: BreakerOptions): Breaker {
  let state: Breaker['state'] = 'closed';
  let failures = 0;
  let openings = 0;
  let restUntil = 0;
  let isProbing = false;

  function become(next: Breaker['state']): void {
    if (next === state) return;
    state = next;
    onChange?.(next);
  }

  function open(): void {
    const rest = Math.min(LONGEST_REST_MILLISECONDS, FIRST_REST_MILLISECONDS * 2 ** openings);
    openings += 1;
    isProbing = false;
    // Half of it by chance: servers that failed together do not probe together.
    restUntil = now() + rest * (0.5 + random() / 2);
    become('open');
  }

  return {
    get state() {
      return state;
    },
    restsFor() {
      if (state === 'open' && now() >= restUntil) become('half_open');
      if (state === 'open') return restUntil - now();
      return state === 'half_open' && isProbing ? PROBE_MILLISECONDS : 0;
    },
    begin() {
      if (state === 'half_open') isProbing = true;
    },
    succeeded() {
      failures = 0;
      openings = 0;
      isProbing = false;
      become('closed');
    },
    failed() {
      // What began before it opened tells nothing new.
      if (state === 'open') return;
      failures += 1;
      if (state === 'half_open' || failures >= FAILURES_TO_OPEN) open();
    },
  };
}
