import { LOGIN_ADVICE } from '../admin/admin.ts';
import type { Config } from '../config/config.ts';
import { isLoginClientId, isLoginClientSecret } from '../config/telegram-settings.ts';
import { CliError } from './errors.ts';
import { OPERATOR } from './find-user.ts';
import { readSecret } from './read-secret.ts';
import { json } from './table.ts';
import { existing } from './tenant-command.ts';
import { atWorkbench } from './workbench.ts';

/** `firstproof tenant telegram-login set <slug>`: the secret comes by a file or standard input, never as an argument. */
export async function setTelegramLogin(
  config: Config,
  slug: string,
  options: { clientId: string; secretFile?: string; json?: boolean },
): Promise<void> {
  const { clientId, secretFile } = options;
  if (!isLoginClientId(clientId)) throw new CliError(`--client-id ${LOGIN_ADVICE.client_id}.`, 2);
  const clientSecret = await readSecret(secretFile, 'the Client Secret that BotFather shows');
  if (!isLoginClientSecret(clientSecret)) {
    throw new CliError(`Nothing was changed: the secret ${LOGIN_ADVICE.client_secret}.`, 2);
  }
  await atWorkbench(config, async ({ app }) => {
    const tenant = existing(app.tenants, slug);
    await app.telegramLogins.set(tenant.id, { clientId, clientSecret }, OPERATOR);
    if (options.json) return void process.stdout.write(json({ tenant: slug, client_id: clientId }));
    process.stdout.write(`People of "${slug}" can sign in at Telegram now, by client ${clientId}.\n`);
  });
}

/** `firstproof tenant telegram-login show <slug>` */
export async function showTelegramLogin(
  config: Config,
  slug: string,
  options: { json?: boolean },
): Promise<void> {
  await atWorkbench(config, async ({ app }) => {
    const login = app.telegramLogins.of(existing(app.tenants, slug).id);
    const shown = login && { client_id: login.clientId, is_configured: login.configured };
    if (options.json) return void process.stdout.write(json(shown ?? null));
    if (!login) throw new CliError(`"${slug}" has no client: firstproof tenant telegram-login set ${slug}`);
    const where = login.configured ? 'TELEGRAM_LOGIN_CLIENT_SECRET' : 'the database, sealed';
    process.stdout.write(`Client ${login.clientId}; its secret stands in ${where}.\n`);
  });
}

/** `firstproof tenant telegram-login remove <slug>` */
export async function removeTelegramLogin(config: Config, slug: string): Promise<void> {
  await atWorkbench(config, async ({ app }) => {
    const tenant = existing(app.tenants, slug);
    if (!(await app.telegramLogins.remove(tenant.id, OPERATOR))) {
      throw new CliError(`"${slug}" has no client of its own.`);
    }
    process.stdout.write(`"${slug}" has no client of Telegram login any more.\n`);
  });
}
