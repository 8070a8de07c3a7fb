import type { SignInContext } from '../signin/context.ts';
import { retireTestAccounts } from '../signin/retire-test-accounts.ts';
import { createTollWatch } from '../signin/watch-tolls.ts';
import type { Metrics } from '../web/metrics.ts';
import type { AppOptions } from './options.ts';

/** What the worker looks after each minute that is the use cases' own affair. */
export function composeRounds(
  { databases, clock }: AppOptions,
  signIn: SignInContext,
  metrics: Metrics,
): () => Promise<void> {
  const watchTolls = createTollWatch(signIn, clock, metrics);
  return async () => {
    await watchTolls();
    await retireTestAccounts(signIn, databases.all(), () => clock.now());
  };
}
