import { recordEvent } from '../audit/audit.ts';
import { firstIdOf } from '../kernel/id.ts';
import type { Log } from '../kernel/log.ts';
import type { Tenant, Tenants } from '../tenants/tenants.ts';
import { sentAndTyped } from '../verification/verification.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Metrics } from '../web/metrics.ts';
import type { SignInContext } from './context.ts';

const WATCHED_SECONDS = 3600;
/** A code this young may still be on its way to the screen. */
const TOO_YOUNG_SECONDS = 120;

/**
 * Blocks the ranges to which many codes went of which hardly any was typed: messages are pumped there for a share of
 * their price. Each block ends by itself, and is told once: in the log, the audit and the metrics.
 * @param blocked told of each new block
 */
async function watchTolls(
  context: Pick<SignInContext, 'tolls' | 'databaseOf' | 'newId' | 'log'>,
  tenant: Tenant,
  now: Date,
  blocked: () => void,
): Promise<void> {
  if (tenant.policy.tolls.leastVerified === 0) return;
  const database = context.databaseOf(tenant.id);
  const { sql } = database;
  const ranges = await sentAndTyped(
    database,
    tenant.id,
    firstIdOf(new Date(now.getTime() - WATCHED_SECONDS * 1000)),
    TOO_YOUNG_SECONDS,
  );
  for (const range of await context.tolls.judge(tenant.id, tenant.policy.tolls, ranges)) {
    const { prefix, sent, verified } = range;
    blocked();
    context.log.error(
      { event: 'toll_range_blocked', tenant: tenant.slug, prefix, count: sent },
      'SMS and calls to a number range are stopped for an hour: hardly any of its codes was typed',
    );
    const record = recordEvent(sql, {
      tenantId: tenant.id,
      id: sql`${context.newId()}::uuid`,
      action: sql`'tolls.range_blocked'`,
      actor: sql`'system'`,
      subject: sql`${`prefix:${prefix}`}`,
      caller: undefined,
      now: database.now(),
      data: sql`jsonb_build_object('sent', ${sent}::int, 'verified', ${verified}::int)`,
      from: sql`(select 1) once`,
    });
    await sql`${record}`;
  }
}

/** The round of the worker over all tenants; one whose database is away keeps the others from nothing. */
export function createTollWatch(context: SignInContext, clock: Clock, metrics: Metrics): () => Promise<void> {
  const blocks = metrics.counter({
    name: 'firstproof_toll_blocks_total',
    help: 'Number ranges blocked because hardly any code was typed.',
    labelNames: ['tenant'],
  });
  return async () => {
    for (const tenant of context.tenants.all()) {
      await watchTolls(context, tenant, clock.now(), () => blocks.inc({ tenant: tenant.slug })).catch(
        (error: unknown) =>
          context.log.warn({ event: 'toll_watch', tenant: tenant.slug, error }, 'tolls not watched'),
      );
    }
  };
}

/** Who sets up SMS in production and names no country would wonder why nothing goes out. */
export function warnOfClosedCountries(
  tenants: Tenants,
  delivery: { offers(channel: string, tenant: Tenant): boolean },
  log: Log,
): void {
  for (const tenant of tenants.all()) {
    if (!delivery.offers('sms', tenant) && !delivery.offers('voice', tenant)) continue;
    if (tenant.policy.tolls.countries !== undefined) continue;
    log.warn(
      { event: 'toll_countries_unset', tenant: tenant.slug },
      `SMS and calls go to no country yet: firstproof tenant set ${tenant.slug} tolls.countries=US`,
    );
  }
}
