import { recordEvent } from '../audit/audit.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { SignInContext } from './context.ts';

/** What telling needs, of a request or of the engine that delivers. */
export type Announcer = Pick<SignInContext, 'buckets' | 'databaseOf' | 'log' | 'newId'>;

/** The day's money is spent. Told once for each tenant and day, whichever server meets it first. */
export async function announceMoney(context: Announcer, tenant: Tenant, endsIn: number): Promise<void> {
  const first = await context.buckets.take(`money:${tenant.id}`, 1, Math.max(1, endsIn));
  if (!first.allowed) return;
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  context.log.error(
    { event: 'toll_money_spent', tenant: tenant.slug },
    'the money of the day for SMS and calls is spent: they stop until midnight UTC, other ways go on',
  );
  const record = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${context.newId()}::uuid`,
    action: sql`'tolls.money_spent'`,
    actor: sql`'system'`,
    subject: sql`${`tenant:${tenant.id}`}`,
    caller: undefined,
    now: database.now(),
    from: sql`(select 1) once`,
  });
  await sql`${record}`;
}
