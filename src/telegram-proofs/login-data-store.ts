import type { Database, Fragment, Sql } from '../db/database.ts';

/** `insert …` for a `with` list: this data signs somebody in, now and never again. Gives value, or no row: it was used. */
export function spendDataFragment(
  sql: Sql,
  data: { tenantId: string; hash: Uint8Array; value: string; lifeSeconds: number; now: Fragment },
): Fragment {
  return sql`
    insert into telegram_login_data (tenant_id, data_hash, expires_at)
    values (${data.tenantId}::uuid, ${data.hash as Buffer}::bytea,
      ${data.now} + make_interval(secs => ${data.lifeSeconds}))
    on conflict (tenant_id, data_hash) do nothing
    returning ${data.value}::text as value`;
}

/** Forgets data that is too old to be taken for fresh. */
export async function sweepLoginData(database: Database, batch: number): Promise<number> {
  const result = await database.sql`
    delete from telegram_login_data where (tenant_id, data_hash) in (
      select tenant_id, data_hash from telegram_login_data where expires_at <= ${database.now()}
      order by expires_at limit ${batch} for update skip locked)`;
  return result.count;
}
