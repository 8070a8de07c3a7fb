import type { Database } from '../db/database.ts';

/** What waits by one channel. */
export interface QueueState {
  channel: string;
  /** Due, and not ended: waiting, or being tried. */
  waiting: number;
  /** Of these: how long the oldest has been due, in seconds. */
  oldest_seconds: number;
  /** Due for longer than a lease, and held by no server. */
  unattended: number;
}

/** What should be on its way in a database, by channel; channels with nothing due are left out. */
export function readQueue(database: Database, leaseSeconds: number): Promise<QueueState[]> {
  const now = database.now();
  return database.sql<QueueState[]>`
    select channel, count(*)::int as waiting, extract(epoch from ${now} - min(due_at))::float8 as oldest_seconds,
      count(*) filter (where due_at <= ${now} - make_interval(secs => ${leaseSeconds})
        and (lease_until is null or lease_until <= ${now}))::int as unattended
    from messages where state in ('queued', 'sending') and due_at <= ${now}
    group by channel order by channel`;
}
