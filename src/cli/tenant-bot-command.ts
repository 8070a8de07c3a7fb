import { TOKEN_ADVICE } from '../admin/admin.ts';
import type { Config } from '../config/config.ts';
import { CliError } from './errors.ts';
import { OPERATOR } from './find-user.ts';
import { readSecret } from './read-secret.ts';
import { json } from './table.ts';
import { existing } from './tenant-command.ts';
import { atWorkbench } from './workbench.ts';

/** `firstproof tenant bot set <slug>`: the token comes by a file or standard input, never as an argument that others see. */
export async function setTenantBot(
  config: Config,
  slug: string,
  options: { tokenFile?: string; json?: boolean },
): Promise<void> {
  const token = await readSecret(options.tokenFile, 'the token that BotFather gave you');
  await atWorkbench(config, async ({ app }) => {
    const tenant = existing(app.tenants, slug);
    const introduced = await app.bots.introduce(tenant.id, token, OPERATOR);
    if (introduced.outcome !== 'set') {
      throw new CliError(`Nothing was changed: the token ${TOKEN_ADVICE[introduced.outcome]}.`, 2);
    }
    const { username } = introduced;
    if (options.json) return void process.stdout.write(json({ tenant: slug, username: username ?? null }));
    process.stdout.write(
      username === undefined
        ? `Stored. Telegram could not be asked about it now; running servers will.\n`
        : `@${username} is the bot of "${slug}" now: https://t.me/${username}\n`,
    );
  });
}

/** `firstproof tenant bot show <slug>` */
export async function showTenantBot(
  config: Config,
  slug: string,
  options: { json?: boolean },
): Promise<void> {
  await atWorkbench(config, async ({ app }) => {
    const tenant = existing(app.tenants, slug);
    const bot = app.bots.of(tenant.id);
    const shown = bot && { id: bot.botId, username: bot.username ?? null, is_configured: bot.configured };
    if (options.json) return void process.stdout.write(json(shown ?? null));
    if (!shown) throw new CliError(`"${slug}" has no bot. Give it one: firstproof tenant bot set ${slug}`);
    const where = shown.is_configured ? 'TELEGRAM_BOT_TOKEN' : 'the database, sealed';
    const name = shown.username === null ? `bot ${shown.id}` : `@${shown.username} (${shown.id})`;
    process.stdout.write(`${name}; its token stands in ${where}.\n`);
  });
}

/** `firstproof tenant bot remove <slug>` */
export async function removeTenantBot(config: Config, slug: string): Promise<void> {
  await atWorkbench(config, async ({ app }) => {
    const tenant = existing(app.tenants, slug);
    if (!(await app.bots.remove(tenant.id, OPERATOR))) throw new CliError(`"${slug}" has no bot of its own.`);
    process.stdout.write(`"${slug}" has no bot of its own any more.\n`);
  });
}
