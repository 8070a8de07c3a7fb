import { createApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import { migrate } from '../db/migrate.ts';
import { systemClock } from '../kernel/clock.ts';
import { CliError } from './errors.ts';
import { createLog } from './log.ts';
import { developmentSecret, openDatabases } from './open-databases.ts';
import { type ImportOptions, importUsers } from './user-import.ts';

export interface UserImportOptions extends ImportOptions {
  tenant: string;
  json?: boolean;
}

/** `firstproof user import <file>`: exit code 1 when rows were refused or the import was stopped. */
export async function runUserImport(config: Config, file: string, options: UserImportOptions): Promise<void> {
  const log = createLog('warn');
  const { databases, close } = await openDatabases(config, systemClock, log);
  try {
    await Promise.all(databases.all().map((database) => migrate(database)));
    const app = await createApp({
      config,
      databases,
      secrets: config.secrets ?? [developmentSecret(config, 'secret')],
      publicUrl: config.publicUrl ?? 'http://localhost',
      clock: systemClock,
      log,
      version: '',
    });
    await app.tenants.reload();
    const tenant = app.tenants.bySlug(options.tenant);
    if (!tenant) throw new CliError(`There is no tenant "${options.tenant}".`, 2);
    let stopped = false;
    process.once('SIGINT', () => {
      stopped = true;
    });
    const outcome = await importUsers(
      {
        database: databases.of(tenant.database),
        tenant,
        newId: app.newId,
        now: () => systemClock.now(),
        stopped: () => stopped,
      },
      file,
      options,
    );
    process.stdout.write(options.json ? `${JSON.stringify(outcome)}\n` : sentence(outcome, options));
    if (outcome.refused > 0 || !outcome.finished) process.exitCode = 1;
  } finally {
    await close();
  }
}

function sentence(
  { rows, imported, refused, report, finished }: Awaited<ReturnType<typeof importUsers>>,
  { dryRun }: ImportOptions,
): string {
  const lines = [
    `${rows} rows: ${imported} ${dryRun ? 'would be imported' : 'imported'}, ${refused} refused.`,
  ];
  if (report !== undefined) lines.push(`Why, line by line: ${report}`);
  if (!finished) lines.push('Stopped before the end. Go on with: --resume');
  return `${lines.join('\n')}\n`;
}
