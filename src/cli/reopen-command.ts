import type { Config } from '../config/config.ts';
import { CliError } from './errors.ts';
import { json } from './table.ts';
import { existing } from './tenant-command.ts';
import { atWorkbench } from './workbench.ts';

/** `firstproof user reopen <address>`: codes go to an address again that a hundred wrong ones in a row had closed. */
export async function runUserReopen(
  config: Config,
  address: string,
  options: { tenant?: string; json?: boolean },
): Promise<void> {
  await atWorkbench(config, async ({ app }) => {
    const named = options.tenant === undefined ? {} : { tenant: existing(app.tenants, options.tenant).slug };
    const outcome = await app.reopen({ ...fieldsOf(address), ...named });
    if (!outcome.ok) {
      const [issue] = outcome.details.issues ?? [];
      throw new CliError(`${address}: ${issue?.message ?? outcome.message ?? outcome.error}`, 2);
    }
    if (options.json) process.stdout.write(json(outcome.addresses));
    else if (outcome.addresses.length > 0) process.stdout.write(`${address} is open again.\n`);
    else process.stdout.write(`${address} was not closed: nothing to do.\n`);
  });
}

/** What an address is, by how it looks. */
function fieldsOf(text: string): { phone: string } | { email: string } | { telegram_user_id: string } {
  if (text.includes('@')) return { email: text };
  if (text.startsWith('+')) return { phone: text };
  if (/^\d+$/.test(text)) return { telegram_user_id: text };
  throw new CliError(
    `"${text}" is no address. Give a phone with its country code, an e-mail address or a Telegram user id.`,
    2,
  );
}
