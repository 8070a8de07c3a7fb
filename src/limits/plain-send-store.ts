import type { Fragment, Sql } from '../db/database.ts';
import { type Budgets, SENDS_KEPT_A_DAY } from './policy.ts';
import { cooledFragment, recentSends } from './store.ts';

/**
 * The entries of a `with` list after `given` (tenant_id, kind, value, id, an address at most once) that take one send
 * for each address where nothing speaks against it: nothing guessed wrong, the cool-down over, and sends enough left
 * whoever asks. `budget` gives `taken_by` (the id) of each that was taken. The others are left as they were, for the
 * statement of a single request to judge; so is a row that somebody else holds, as nobody here shall wait for it.
 *
 * As there, the upsert sees the newest row whatever the statement's snapshot (S30). The rows come in one order, so that
 * two servers never wait for each other.
 */
export function takePlainSendsFragment(sql: Sql, budgets: Budgets, now: Fragment): Fragment {
  const plain = sql`b.failed_at = '{}' and b.failures_in_a_row = 0 and b.strangers_in_a_row = 0
    and cardinality(b.sent_at) < ${Math.min(budgets.sendsPerTenMinutes, budgets.sendsPerDay) - SENDS_KEPT_A_DAY}::int`;
  return sql`
    held as materialized (
      select b.tenant_id, b.kind, b.value from given g, lateral (
        select b.tenant_id, b.kind, b.value from address_budgets b
        where b.tenant_id = g.tenant_id and b.kind = g.kind and b.value = g.value and ${plain}
        for update skip locked) b
    ),
    budget as (
      insert into address_budgets as b (tenant_id, kind, value, sent_at, taken_by)
      select g.tenant_id, g.kind, g.value, array[${now}], g.id from given g
      where (g.tenant_id, g.kind, g.value) in (select tenant_id, kind, value from held)
        or not exists (select from address_budgets known
          where known.tenant_id = g.tenant_id and known.kind = g.kind and known.value = g.value)
      order by g.tenant_id, g.kind, g.value
      on conflict (tenant_id, kind, value) do update
        set sent_at = ${recentSends(sql, now)} || excluded.sent_at, taken_by = excluded.taken_by
        where ${plain} and ${cooledFragment(sql, budgets, now)}
      returning b.taken_by
    )`;
}
