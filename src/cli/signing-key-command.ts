import type { Config } from '../config/config.ts';
import { json, table } from './table.ts';
import { existing } from './tenant-command.ts';
import { atWorkbench } from './workbench.ts';

/** `firstproof signing-key rotate`: for one tenant, or for each. */
export async function rotateSigningKeys(
  config: Config,
  options: { tenant?: string; emergency?: boolean; json?: boolean },
): Promise<void> {
  await atWorkbench(config, async ({ app }) => {
    const tenants =
      options.tenant === undefined ? app.tenants.all() : [existing(app.tenants, options.tenant)];
    const results: { tenant: string; rotated: boolean }[] = [];
    for (const tenant of tenants) {
      await app.keys.ensure(tenant.id);
      const emergency = options.emergency ?? false;
      results.push({
        tenant: tenant.slug,
        rotated: await app.keys.rotate(tenant.id, { emergency, actor: 'cli' }),
      });
    }
    const [done, left] = options.emergency
      ? ['rotated; tokens of the old key are refused', 'left: a server rotated it just now']
      : [
          'rotated; the old key goes on verifying for a day',
          'left: verifiers have not known its next key for five minutes yet (--emergency does not wait)',
        ];
    process.stdout.write(
      options.json
        ? json(results)
        : table(
            ['tenant', 'signing key'],
            results.map((one) => [one.tenant, one.rotated ? done : left]),
          ),
    );
    if (results.some((one) => !one.rotated)) process.exitCode = 1;
  });
}
