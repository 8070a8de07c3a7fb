import type { Config } from '../config/config.ts';
import type { UnreachableRow } from '../delivery/delivery.ts';
import { parsePhone } from '../kernel/phone.ts';
import { CliError } from './errors.ts';
import { json, tableToFit } from './table.ts';
import { existing } from './tenant-command.ts';
import { atWorkbench, type Workbench } from './workbench.ts';

export interface UnreachableOptions {
  tenant?: string;
  forget?: boolean;
  json?: boolean;
}

/**
 * `firstproof delivery unreachable [address]`: whom a provider calls out of reach, so that a channel is not tried for a
 * while; with `--forget` it is tried again at once.
 */
export async function showUnreachable(
  config: Config,
  typed: string | undefined,
  options: UnreachableOptions,
): Promise<void> {
  if (options.forget && typed === undefined) {
    throw new CliError('Name whom to forget: firstproof delivery unreachable ADDRESS --forget', 2);
  }
  await atWorkbench(config, async (bench) => {
    const { app, databases } = bench;
    const tenant = options.tenant === undefined ? undefined : existing(app.tenants, options.tenant);
    const query = {
      tenantId: tenant?.id ?? null,
      ...(typed === undefined ? {} : { recipient: recipientOf(typed) }),
    };
    const found: UnreachableRow[] = [];
    for (const database of databases.all()) {
      const rows = await app.delivery.unreachable.list(database, query);
      if (options.forget) for (const row of rows) await app.delivery.unreachable.forget(database, row);
      found.push(...rows);
    }
    process.stdout.write(
      options.json ? json(found.map((row) => forPrograms(bench, row))) : told(bench, found, typed, options),
    );
  });
}

/** In the form in which codes go out: a phone in its one canonical form, anything else as it is. */
function recipientOf(typed: string): string {
  const phone = typed.startsWith('+') ? parsePhone(typed) : undefined;
  return phone?.ok ? phone.phone : typed;
}

function told(
  bench: Workbench,
  rows: readonly UnreachableRow[],
  typed: string | undefined,
  { forget }: UnreachableOptions,
): string {
  if (rows.length === 0) {
    return typed === undefined
      ? 'Nobody is out of reach.\n'
      : `${typed} is not out of reach: nothing to do.\n`;
  }
  if (forget) {
    const ways = [...new Set(rows.map(({ channel }) => channel))].join(', ');
    return `${typed} is tried by ${ways} again.\n`;
  }
  const heading = ['recipient', 'tenant', 'channel', 'told by', 'why', 'not tried until'];
  return tableToFit(
    heading,
    rows.map((row) => [
      ...[row.recipient, slugOf(bench, row.tenant_id), row.channel, row.provider, row.error ?? ''],
      `${row.expires_at.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    ]),
    0,
  );
}

function forPrograms(bench: Workbench, { tenant_id: tenantId, ...row }: UnreachableRow) {
  return { tenant: slugOf(bench, tenantId), ...row };
}

function slugOf({ app }: Workbench, tenantId: string): string {
  return app.tenants.byId(tenantId)?.slug ?? tenantId;
}
