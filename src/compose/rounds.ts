import type { SignInContext } from '../signin/context.ts';
import { retireTestAccounts } from '../signin/retire-test-accounts.ts';
import { createTollWatch } from '../signin/watch-tolls.ts';
import { sweepErased } from '../users/users.ts';
import type { Metrics } from '../web/metrics.ts';
import type { AppOptions } from './options.ts';

/** The longest life of an access token is a day: after two nobody holds one of an account that was erased. */
const KEEP_ERASED_SECONDS = 2 * 86_400;

/** What the worker looks after each minute that is the use cases' own affair. */
export function composeRounds(
  { databases, clock }: AppOptions,
  signIn: SignInContext,
  metrics: Metrics,
): () => Promise<void> {
  const watchTolls = createTollWatch(signIn, clock, metrics);
  return async () => {
    await watchTolls();
    for (const database of databases.all()) await sweepErased(database, KEEP_ERASED_SECONDS, 1000);
    await retireTestAccounts(signIn, databases.all(), () => clock.now());
  };
}
