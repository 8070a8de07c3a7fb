import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Config, ConfigSource } from '../config/config.ts';
import { apiKeyScopes } from '../tenants/tenants.ts';
import { exportAudit, verifyAudit } from './audit-command.ts';
import { configure } from './configure.ts';
import { type DeliveryStatsOptions, showDeliveryStats } from './delivery-command.ts';
import { runDoctor } from './doctor-command.ts';
import { explainFault } from './explain-fault.ts';
import { createKey, listKeys, type NewKeyOptions, revokeKey } from './key-command.ts';
import { createJsonLog, createReadableLog } from './log.ts';
import { runMigrate } from './migrate-command.ts';
import { providerCommands } from './provider-command.ts';
import { serve } from './serve.ts';
import { rotateSigningKeys } from './signing-key-command.ts';
import { listSettable } from './tenant-assignments.ts';
import { removeTenantBot, setTenantBot, showTenantBot } from './tenant-bot-command.ts';
import { testAddressCommands } from './test-address-command.ts';
import { removeTelegramLogin, setTelegramLogin, showTelegramLogin } from './tenant-telegram-login-command.ts';
import { createTenant, listTenants, type NewTenantOptions, setTenant, showTenant } from './tenant-command.ts';
import { runUserReopen } from './reopen-command.ts';
import { runRestored } from './restored-command.ts';
import { runTollsLedger } from './tolls-command.ts';
import { showUnreachable, type UnreachableOptions } from './unreachable-command.ts';
import { runUserImport, type UserImportOptions } from './user-command.ts';
import { addUserCommands } from './user-commands.ts';
import { version } from './version.ts';

/** A reader that went away (`… | head -1`) is no fault. */
process.stdout.on('error', (fault: NodeJS.ErrnoException) => {
  if (fault.code !== 'EPIPE') throw fault;
});

const program = new Command('firstproof')
  .description('OTP-first authentication server: no account exists until its owner has proved an address.')
  .version(version)
  .option('--development', 'development mode: embedded database, nothing to configure (FIRSTPROOF_MODE)')
  .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(process.stdout.columns ?? 100, 100) })
  .addHelpText(
    'after',
    `
Settings come from the environment and from .env in this folder: docs/reference/configuration.md.
Commands beside serve work whether a server runs or not, in the mode the data folder was made in.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.`,
  )
  .showHelpAfterError('Add --help to see what there is.')
  .exitOverride();

const collect = (value: string, all: string[] = []): string[] => [...all, value];
const asJson = ['--json', 'print JSON for programs'] as const;

function configured(needs: 'server' | 'databases' = 'server'): Config {
  return configure({ ...program.opts<{ development?: boolean }>(), needs, followData: true });
}

program
  .command('serve')
  .description('run the server')
  .option('--port <port>', 'port to listen on (PORT)')
  .option('--host <host>', 'address to listen on (HOST)')
  .action(async (overrides: NonNullable<ConfigSource['overrides']>) => {
    const { development } = program.opts<{ development?: boolean }>();
    const config = configure({ development, overrides, needs: 'server', followData: false });
    const readable = config.mode === 'development';
    const level = readable && config.logLevel === 'info' ? 'warn' : config.logLevel;
    await serve(config, readable ? createReadableLog(level) : createJsonLog(level), version);
  });

program
  .command('migrate')
  .description('bring every configured database up to date; a server that starts does it too')
  .option('--status', 'only tell; exit code 1 when a database is not up to date')
  .option(...asJson)
  .action((options: { status?: boolean; json?: boolean }) => runMigrate(configured('databases'), options));

program
  .command('restored')
  .description('after a backup was put back: end what was used or ended since it was made')
  .option('--yes', 'do it')
  .option(...asJson)
  .action((options: { yes?: boolean; json?: boolean }) => runRestored(configured(), options));

const audit = program.command('audit').description('the audit trail: verify it, take it along');
audit
  .command('verify')
  .description('read every chain and name its first broken place; exit code 1 when there is one')
  .option('--tenant <slug>', 'of this tenant only; of every one otherwise')
  .option('--anchor <position:hash>', 'a place noted earlier, which shows an end that was cut off')
  .option(...asJson)
  .action((options: { tenant?: string; anchor?: string; json?: boolean }) =>
    verifyAudit(configured(), options),
  );
audit
  .command('export')
  .description('events as JSON Lines, with everything by which their hashes can be computed again')
  .requiredOption('--tenant <slug>', 'whose')
  .option('--since <moment>', 'only those from then on, such as 2026-01-31')
  .action((options: { tenant: string; since?: string }) => exportAudit(configured(), options));

const tenant = program.command('tenant').description('make, list, show and change tenants and markets');
tenant
  .command('create <slug>')
  .description('make a tenant; running servers know it at once')
  .option('--name <name>', 'what people read in messages; the slug otherwise')
  .option('--market', 'a market: chosen by the prefix of the phone')
  .option('--prefix <+digits>', 'phone prefix of a market; may be repeated', collect)
  .option('--host <name>', 'host name that leads to it; may be repeated', collect)
  .option('--database <name>', 'keep its rows in a database of FIRSTPROOF_DATABASES')
  .option('--country <code>', 'country by which national phone forms are read, such as UZ')
  .option('--locale <locale>', 'language of its messages where a person asks for none', 'en')
  .option(...asJson)
  .action((slug: string, options: NewTenantOptions) => createTenant(configured(), slug, options));
tenant
  .command('list')
  .description('all tenants')
  .option(...asJson)
  .action((options: { json?: boolean }) => listTenants(configured(), options));
tenant
  .command('show <slug>')
  .description('one tenant with its settings, issuer and key address')
  .option(...asJson)
  .action((slug: string, options: { json?: boolean }) => showTenant(configured(), slug, options));
tenant
  .command('set <slug> [path=value...]')
  .description('change settings; an empty value returns to the default')
  .option('--unset <path>', 'return to the default; may be repeated', collect)
  .option(...asJson)
  .addHelpText(
    'after',
    () =>
      `\nSettings:\n${listSettable()
        .map((one) => `  ${one.path}=${one.expects}\n`)
        .join('')}`,
  )
  .action((slug: string, assignments: string[], options: { unset?: string[]; json?: boolean }) =>
    setTenant(configured(), slug, assignments, options),
  );

const bot = tenant.command('bot').description("a tenant's own Telegram bot");
bot
  .command('set <slug>')
  .description('give it the bot of a token, read from standard input; running servers start it at once')
  .option('--token-file <file>', 'read the token from a file')
  .option(...asJson)
  .action((slug: string, options: { tokenFile?: string; json?: boolean }) =>
    setTenantBot(configured(), slug, options),
  );
bot
  .command('show <slug>')
  .description('which bot it has; the token is never shown')
  .option(...asJson)
  .action((slug: string, options: { json?: boolean }) => showTenantBot(configured(), slug, options));
bot
  .command('remove <slug>')
  .description('take its bot away')
  .action((slug: string) => removeTenantBot(configured(), slug));

testAddressCommands(tenant, configured);

const login = tenant
  .command('telegram-login')
  .description("a tenant's own client of Telegram's OpenID Connect login");
login
  .command('set <slug>')
  .description('give it the client of BotFather; the secret is read from standard input')
  .requiredOption('--client-id <number>', 'the Client ID')
  .option('--secret-file <file>', 'read the Client Secret from a file')
  .option(...asJson)
  .action((slug: string, options: { clientId: string; secretFile?: string; json?: boolean }) =>
    setTelegramLogin(configured(), slug, options),
  );
login
  .command('show <slug>')
  .description('which client it has; the secret is never shown')
  .option(...asJson)
  .action((slug: string, options: { json?: boolean }) => showTelegramLogin(configured(), slug, options));
login
  .command('remove <slug>')
  .description('take its client away')
  .action((slug: string) => removeTelegramLogin(configured(), slug));

const key = program.command('key').description('make, list and revoke API keys');
key
  .command('create')
  .description('make an API key; its text is printed once')
  .requiredOption('--name <name>', 'what it is for', nonEmpty)
  .option('--scope <scope>', `${apiKeyScopes.join(', ')}; may be repeated`, collect)
  .option('--tenant <slug>', 'for this tenant only; every tenant otherwise')
  .option(...asJson)
  .action((options: NewKeyOptions) => createKey(configured(), options));
key
  .command('list')
  .description('all API keys, revoked ones too')
  .option(...asJson)
  .action((options: { json?: boolean }) => listKeys(configured(), options));
key
  .command('revoke <id>')
  .description('revoke an API key')
  .action((id: string) => revokeKey(configured(), id));

program
  .command('signing-key')
  .description('the keys that sign access tokens')
  .command('rotate')
  .description('sign with the next key from now on')
  .option('--tenant <slug>', 'of this tenant only; of every one otherwise')
  .option('--emergency', 'the old key leaked: refuse what it signed at once')
  .option(...asJson)
  .action((options: { tenant?: string; emergency?: boolean; json?: boolean }) =>
    rotateSigningKeys(configured(), options),
  );

const delivery = program.command('delivery').description('how messages travel');
delivery
  .command('unreachable [address]')
  .description('whom a provider calls out of reach, so that a channel is not tried for seven days')
  .option('--tenant <slug>', 'of this tenant only; of every one otherwise')
  .option('--forget', 'try the address by every channel again, at once')
  .option(...asJson)
  .action((address: string | undefined, options: UnreachableOptions) =>
    showUnreachable(configured(), address, options),
  );

delivery
  .command('stats')
  .description('what became of the messages: sent, delivered, used, and what they cost')
  .option('--tenant <slug>', 'of this tenant only; of every one otherwise')
  .option('--since <span>', 'of the last 90m, 24h or 7d', '24h')
  .option('--prefix', 'by prefix of the phone as well')
  .option(...asJson)
  .action((options: DeliveryStatsOptions) => showDeliveryStats(configured(), options));

providerCommands(program, configured);

program
  .command('doctor')
  .description('look for what keeps this deployment from working well; exit code 1 on a FAIL')
  .option(...asJson)
  .action((options: { json?: boolean }) =>
    runDoctor({ ...program.opts<{ development?: boolean }>(), ...options }),
  );

const user = program
  .command('user')
  .description('accounts: find, look at, close, sign out, export, erase, import');
addUserCommands(user, () => configured());

user
  .command('import <file>')
  .description('bring in existing users from CSV or JSON Lines; exit code 1 when rows were refused')
  .option('--tenant <slug>', 'whose users they become', 'default')
  .option('--format <csv|jsonl>', 'what the file is, where its name does not tell')
  .option('--dry-run', 'look at every row and write nothing')
  .option('--resume', 'go on where an import of this file stopped')
  .option('--report <file>', 'where refused rows are told (FILE.refused.jsonl)')
  .option(...asJson)
  .action((file: string, options: UserImportOptions) => runUserImport(configured(), file, options));

user
  .command('reopen <address>')
  .description('let codes go to an address again that a hundred wrong ones in a row had closed')
  .option('--tenant <slug>', 'whose address it is, where neither its market nor `default`')
  .option(...asJson)
  .action((address: string, options: { tenant?: string; json?: boolean }) =>
    runUserReopen(configured(), address, options),
  );

program
  .command('tolls')
  .description('what SMS and calls cost')
  .command('ledger')
  .description('what was sent and what it was reckoned to cost, by day, channel and country')
  .option('--tenant <slug>', 'one tenant; all where it is left out')
  .option('--json', 'for programs')
  .action((options: { tenant?: string; json?: boolean }) => runTollsLedger(configured(), options));

function nonEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It may not be empty.');
  return text;
}

try {
  await program.parseAsync();
} catch (fault) {
  if (fault instanceof CommanderError) {
    // Commander has said what there is to say. Help that was asked for is no failure.
    process.exitCode = fault.exitCode === 0 ? 0 : 2;
  } else {
    const { message, exitCode } = explainFault(fault);
    process.stderr.write(`${message}\n`);
    process.exitCode = exitCode;
  }
}
