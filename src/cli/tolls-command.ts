import type { Config } from '../config/config.ts';
import { json, table } from './table.ts';
import { existing } from './tenant-command.ts';
import { atWorkbench } from './workbench.ts';

/** `firstproof tolls ledger`: what each tenant's SMS and calls were reckoned to cost. */
export async function runTollsLedger(
  config: Config,
  options: { tenant?: string; json?: boolean },
): Promise<void> {
  await atWorkbench(config, async ({ app }) => {
    const tenantId = options.tenant === undefined ? null : existing(app.tenants, options.tenant).id;
    const entries = (await app.tolls.ledger(tenantId)).map(({ tenantId: id, ...entry }) => ({
      tenant: app.tenants.byId(id)?.slug ?? id,
      ...entry,
    }));
    process.stdout.write(
      options.json
        ? json(entries)
        : table(
            ['day', 'tenant', 'channel', 'country', 'messages', 'money'],
            entries.map((entry) => [
              entry.day,
              entry.tenant,
              entry.channel,
              entry.country,
              String(entry.messages),
              entry.money.toFixed(2),
            ]),
          ),
    );
  });
}
