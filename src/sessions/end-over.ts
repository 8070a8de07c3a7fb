import type { Caller } from '../audit/audit.ts';
import type { Database, Fragment } from '../db/database.ts';
import type { Tenant, Tenants } from '../tenants/tenants.ts';
import { idleSecondsOf } from './policy.ts';
import { tenantsWithExpired } from './store.ts';

/** A use is written down so many seconds late at most: nobody who works is taken for idle. */
const NOTED_LATE_SECONDS = 90;
/** Sessions past their life that one statement ends. */
const ENDED_AT_ONCE = 1000;
const NOBODY: Caller = { ip: '', bucket: '', userAgent: undefined };

type EndWhere = (
  tenant: Tenant,
  which: Fragment,
  reason: string,
  actor: string,
  caller: Caller,
  limit: number,
) => Promise<unknown[]>;

/** Ends what is past its absolute life, so that is_active tells the truth. Returns how many. */
export async function endExpired(
  database: Database,
  tenants: Pick<Tenants, 'byId'>,
  endWhere: EndWhere,
): Promise<number> {
  let count = 0;
  for (const tenantId of await tenantsWithExpired(database, 1000)) {
    const tenant = tenants.byId(tenantId);
    if (!tenant) continue;
    const which = database.sql`s.expires_at <= ${database.now()}`;
    let ended: unknown[];
    do {
      ended = await endWhere(tenant, which, 'expired', 'system', NOBODY, ENDED_AT_ONCE);
      count += ended.length;
    } while (ended.length === ENDED_AT_ONCE);
  }
  return count;
}

/** Ends what has lain unused for longer than its tenant, or the role of its user, allows. Returns how many. */
export async function endIdle(
  database: Database,
  tenants: readonly Tenant[],
  endWhere: EndWhere,
): Promise<number> {
  const { sql } = database;
  const unused = (seconds: number | undefined): Fragment =>
    sql`s.last_used_at < ${database.now()} - make_interval(secs => ${(seconds ?? 0) + NOTED_LATE_SECONDS})`;
  let count = 0;
  for (const tenant of tenants) {
    const administrators = sql`${unused(idleSecondsOf(tenant, 'admin'))} and s.user_id in (
      select u.id from users u where u.tenant_id = ${tenant.id}::uuid and u.role = 'admin')`;
    const all = idleSecondsOf(tenant, 'user');
    const which = all === undefined ? administrators : sql`(${administrators} or ${unused(all)})`;
    count += (await endWhere(tenant, which, 'idle', 'system', NOBODY, ENDED_AT_ONCE)).length;
  }
  return count;
}
