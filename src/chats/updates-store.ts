import type { Database } from '../db/database.ts';

/**
 * Leases an update to whoever handles it: `taken`; `done` when it has had its effect, or was tried too often; `busy`
 * while somebody else handles it.
 */
export async function leaseUpdate(
  database: Database,
  query: { tenantId: string; updateId: number; leaseSeconds: number; mostAttempts: number },
): Promise<'taken' | 'done' | 'busy'> {
  const { sql } = database;
  const now = database.now();
  const leasedUntil = sql`${now} + make_interval(secs => ${query.leaseSeconds})`;
  const [row] = await sql<{ outcome: 'taken' | 'done' | 'busy' }[]>`
    with taken as (
      insert into telegram_updates as u (tenant_id, update_id, leased_until, received_at)
      values (${query.tenantId}, ${query.updateId}, ${leasedUntil}, ${now})
      on conflict (tenant_id, update_id) do update set attempts = u.attempts + 1, leased_until = excluded.leased_until
      where u.done_at is null and u.leased_until <= ${now} and u.attempts < ${query.mostAttempts}
      returning update_id
    )
    select 'taken' as outcome from taken
    union all
    select case when u.done_at is not null or u.attempts >= ${query.mostAttempts} and u.leased_until <= ${now}
      then 'done' else 'busy' end
    from telegram_updates u
    where u.tenant_id = ${query.tenantId} and u.update_id = ${query.updateId} and not exists (select from taken)`;
  // Two at once: the other's row is not in this statement's snapshot yet.
  return row?.outcome ?? 'busy';
}

/** The update has had its effect, or is handed back so that it may be tried again at once. */
export async function settleUpdate(
  database: Database,
  query: { tenantId: string; updateId: number; done: boolean },
): Promise<void> {
  const now = database.now();
  await database.sql`
    update telegram_updates set done_at = case when ${query.done}::boolean then ${now} end, leased_until = ${now}
    where tenant_id = ${query.tenantId} and update_id = ${query.updateId}`;
}

/** Telegram keeps an update for 24 hours; after two days none comes again. */
export async function sweepUpdates(
  database: Database,
  olderThanSeconds: number,
  batch: number,
): Promise<number> {
  const result = await database.sql`
    delete from telegram_updates where (tenant_id, update_id) in (
      select tenant_id, update_id from telegram_updates
      where received_at < ${database.now()} - make_interval(secs => ${olderThanSeconds})
      order by received_at limit ${batch} for update skip locked)`;
  return result.count;
}
