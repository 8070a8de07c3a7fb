import type { Config } from '../config/config.ts';
import { CliError } from './errors.ts';
import { OPERATOR } from './find-user.ts';
import { json, table } from './table.ts';
import { atWorkbench } from './workbench.ts';

/**
 * `firstproof restored --yes`: after a backup was put back, before servers start. What was used or ended since the
 * backup was made would be believed again; it ends here, in every tenant.
 */
export async function runRestored(config: Config, options: { yes?: boolean; json?: boolean }): Promise<void> {
  await atWorkbench(config, async ({ app }) => {
    const tenants = app.tenants.all();
    if (!options.yes) {
      throw new CliError(
        'After a backup was put back, codes that were used and sessions that were ended since it was made would work ' +
          `again.\nThis ends every code, waiting registration, link and session of ${tenants.length} tenants: ` +
          'everybody signs in again.\nTo go on: firstproof restored --yes',
        2,
      );
    }
    const ended = [];
    for (const tenant of tenants) {
      const tell = (sessions: number): void => {
        process.stderr.write(`${tenant.slug}: ${sessions.toLocaleString('en')} sessions ended\n`);
      };
      const { actor } = OPERATOR;
      const counts = await app.accounts.endAfterRestore(tenant, actor, options.json ? undefined : tell);
      ended.push({ tenant: tenant.slug, ...counts });
    }
    const keys = (await app.apiKeys.list()).filter((key) => key.revokedAt === null).length;
    if (options.json) {
      process.stdout.write(json({ ended, api_keys_alive: keys }));
      return;
    }
    const rows = ended.map((one) =>
      [one.tenant, one.sessions, one.codes, one.registrations, one.links].map(String),
    );
    process.stdout.write(table(['tenant', 'sessions', 'codes', 'registrations', 'links'], rows));
    process.stdout.write(
      `\nStill to look at, since nothing here can know it:\n` +
        `- ${keys} API key${keys === 1 ? ' is' : 's are'} alive; one revoked since the backup is alive again: firstproof key list\n` +
        '- passwords, addresses and chats are those of the backup, and so are accounts that were closed or removed since.\n',
    );
  });
}
