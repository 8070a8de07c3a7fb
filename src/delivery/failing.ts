import type { Database } from '../db/database.ts';
import type { Log } from '../kernel/log.ts';
import type { Breaker } from './breaker.ts';
import { deleteFailure, type ProviderFailure, readFailures, writeFailure } from './failing-store.ts';
import type { DeliveryMeter } from './meter.ts';

/** Which providers fail: told in the log, the metrics, and to who looks from outside. */
export interface Failing {
  /** A breaker of this server has changed. Returns at once. */
  changed(provider: string, state: Breaker['state']): void;
  /** Those that failed within the last minutes, whichever server met it. */
  all(): Promise<ProviderFailure[]>;
}

export function createFailing(options: { control: Database; meter: DeliveryMeter; log: Log }): Failing {
  const { control, meter, log } = options;
  return {
    changed(provider, state) {
      meter.breaker(provider, state);
      if (state === 'half_open') return;
      const fields = { event: `breaker_${state}`, provider };
      if (state === 'open') log.error(fields, 'a provider fails: other ways are used while it rests');
      else log.info(fields, 'a provider works again');
      const written = state === 'open' ? writeFailure(control, provider) : deleteFailure(control, provider);
      // Only told: delivery goes by what each server meets itself.
      written.catch(() => {});
    },
    all: () => readFailures(control),
  };
}
