import type { Config } from '../config/config.ts';
import { systemClock } from '../kernel/clock.ts';
import { json } from './table.ts';
import { existing } from './tenant-command.ts';
import { type ImportOptions, type ImportOutcome, importUsers } from './user-import.ts';
import { atWorkbench } from './workbench.ts';

export interface UserImportOptions extends ImportOptions {
  tenant: string;
  json?: boolean;
}

/** `firstproof user import <file>`: exit code 1 when rows were refused or the import was stopped. */
export async function runUserImport(config: Config, file: string, options: UserImportOptions): Promise<void> {
  await atWorkbench(config, async ({ app, databases }) => {
    const tenant = existing(app.tenants, options.tenant);
    let stopped = false;
    const stop = (): void => {
      stopped = true;
    };
    process.once('SIGINT', stop);
    try {
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
      process.stdout.write(options.json ? json(outcome) : sentence(outcome, options));
      if (outcome.refused > 0 || !outcome.finished) process.exitCode = 1;
    } finally {
      process.off('SIGINT', stop);
    }
  });
}

function sentence(
  { rows, imported, refused, report, finished }: ImportOutcome,
  { dryRun }: ImportOptions,
): string {
  const lines = [
    `${rows} rows: ${imported} ${dryRun ? 'would be imported' : 'imported'}, ${refused} refused.`,
  ];
  if (report !== undefined) lines.push(`Why, line by line: ${report}`);
  if (!finished) lines.push('Stopped before the end. Go on with: --resume');
  return `${lines.join('\n')}\n`;
}
