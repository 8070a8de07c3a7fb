import type { Config } from '../config/config.ts';
import type { DeliveryCounts } from '../delivery/delivery.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { CliError } from './errors.ts';
import { json, tableToFit } from './table.ts';
import { existing } from './tenant-command.ts';
import { atWorkbench } from './workbench.ts';

export interface DeliveryStatsOptions {
  tenant?: string;
  since: string;
  prefix?: boolean;
  json?: boolean;
}

const UNIT_SECONDS = { m: 60, h: 3600, d: 86_400 } as const;
/** Messages and verifications are kept so long. */
const MOST_SECONDS = 7 * 86_400;

/** Reads `90m`, `24h` or `7d`. @throws CliError (exit 2) */
function readSpan(text: string): number {
  const match = /^([1-9]\d{0,5})([mhd])$/.exec(text);
  const seconds = Number(match?.[1]) * UNIT_SECONDS[(match?.[2] ?? 'm') as keyof typeof UNIT_SECONDS];
  if (!match) throw new CliError(`"${text}" is no span of time. Write 90m, 24h or 7d.`, 2);
  if (seconds > MOST_SECONDS)
    throw new CliError('What is older than seven days is not kept. Write 7d at most.', 2);
  return seconds;
}

/** `firstproof delivery stats`: what became of the messages, by tenant, channel, provider and country. */
export async function showDeliveryStats(config: Config, options: DeliveryStatsOptions): Promise<void> {
  const sinceSeconds = readSpan(options.since);
  await atWorkbench(config, async ({ app, databases }) => {
    const tenant = options.tenant === undefined ? undefined : existing(app.tenants, options.tenant);
    const query = { tenantId: tenant?.id ?? null, sinceSeconds, byPrefix: options.prefix === true };
    const all = await Promise.all(databases.all().map((database) => app.delivery.counts(database, query)));
    const counts = all.flat();
    const tenantOf = (id: string): Tenant | undefined => app.tenants.byId(id);
    if (options.json) {
      process.stdout.write(json(counts.map((one) => rowForPrograms(one, tenantOf(one.tenant_id)))));
    } else if (counts.length === 0) {
      process.stdout.write(`Nothing was sent in the last ${options.since}.\n`);
    } else {
      process.stdout.write(statsTable(counts, tenantOf, query.byPrefix));
    }
  });
}

function rowForPrograms(counts: DeliveryCounts, tenant: Tenant | undefined): Record<string, unknown> {
  const { tenant_id: tenantId, sent, verified, ...rest } = counts;
  return {
    tenant: tenant?.slug ?? tenantId,
    ...rest,
    sent,
    verified,
    conversion: sent === 0 ? null : Math.round((verified / sent) * 1000) / 1000,
    currency: tenant?.policy.delivery.currency ?? null,
  };
}

function statsTable(
  counts: readonly DeliveryCounts[],
  tenantOf: (id: string) => Tenant | undefined,
  byPrefix: boolean,
): string {
  const heading = ['tenant', 'channel', 'provider', 'country', ...(byPrefix ? ['prefix'] : [])];
  const isWhole = (cost: number): boolean => Math.abs(cost * 100 - Math.round(cost * 100)) < 1e-6;
  const digits = counts.every(({ cost }) => isWhole(cost)) ? 2 : 4;
  const numbers = ['sent', 'delivered', 'failed', 'refused', 'verified', 'rate', 'median', 'cost'];
  return tableToFit(
    [...heading, ...numbers],
    counts.map((one) => {
      const tenant = tenantOf(one.tenant_id);
      const { median_milliseconds: median } = one;
      return [
        ...[tenant?.slug ?? one.tenant_id, one.channel, one.provider, one.country ?? ''],
        ...(byPrefix ? [one.prefix ?? ''] : []),
        ...[one.sent, one.delivered, one.failed, one.refused, one.verified].map(String),
        one.sent === 0 ? '' : `${Math.round((one.verified / one.sent) * 100)} %`,
        median === null ? '' : `${(median / 1000).toFixed(1)} s`,
        one.cost === 0 ? '' : `${one.cost.toFixed(digits)} ${tenant?.policy.delivery.currency ?? ''}`,
      ];
    }),
    numbers.length,
  );
}
