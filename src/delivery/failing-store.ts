import type { Database } from '../db/database.ts';

/** While a provider is asked for anything, an open breaker probes it once a minute: who was not met since then is left out. */
const RECENT_SECONDS = 600;

export interface ProviderFailure {
  provider: string;
  /** Seconds since its breaker opened, and since it was last found to fail. */
  since_seconds: number;
  last_seconds: number;
}

export async function writeFailure(database: Database, provider: string): Promise<void> {
  const now = database.now();
  await database.sql`
    insert into provider_failures as f (provider, since, last_at) values (${provider}, ${now}, ${now})
    on conflict (provider) do update set last_at = excluded.last_at, since = case
      when f.last_at < ${now} - make_interval(secs => ${RECENT_SECONDS}) then excluded.since else f.since end`;
}

export async function deleteFailure(database: Database, provider: string): Promise<void> {
  await database.sql`delete from provider_failures where provider = ${provider}`;
}

/** Those found to fail within the last ten minutes. */
export function readFailures(database: Database): Promise<ProviderFailure[]> {
  const now = database.now();
  return database.sql<ProviderFailure[]>`
    select provider, extract(epoch from ${now} - since)::float8 as since_seconds,
      extract(epoch from ${now} - last_at)::float8 as last_seconds
    from provider_failures where last_at > ${now} - make_interval(secs => ${RECENT_SECONDS}) order by provider`;
}
