import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { Command } from 'commander';
import { type Config, loadConfig } from '../config/config.ts';
import { EmbeddedPostgresInUse } from '../db/embedded-postgres.ts';
import { CliError } from './errors.ts';
import { createLog } from './log.ts';
import { serve } from './serve.ts';
import { runUserImport, type UserImportOptions } from './user-command.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The environment, with what `.env` in the working folder adds to it. */
function environment(): Record<string, string | undefined> {
  try {
    return { ...parseEnv(readFileSync('.env', 'utf8')), ...process.env };
  } catch {
    return process.env;
  }
}

function configure(overrides: Parameters<typeof loadConfig>[0]['overrides'] = {}): Config {
  const result = loadConfig({ env: environment(), overrides });
  if (result.ok) return result.config;
  const lines = result.problems.map((problem) => `  ${problem.message}`);
  throw new CliError(`Firstproof cannot start with this configuration:\n${lines.join('\n')}`, 2);
}

const program = new Command('firstproof')
  .description('OTP-first authentication server: no account exists until its owner has proved an address.')
  .version(version)
  .showHelpAfterError('Run "firstproof --help" for what there is.');

program
  .command('serve')
  .description('run the server (production, unless FIRSTPROOF_MODE or --development says otherwise)')
  .option('--development', 'embedded database, development inbox, seeded tenants; nothing to configure')
  .option('--port <port>', 'port to listen on (PORT)')
  .option('--host <host>', 'address to listen on (HOST)')
  .action(async (options: { development?: boolean; port?: string; host?: string }) => {
    const config = configure({
      ...(options.development ? { mode: 'development' } : {}),
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.host === undefined ? {} : { host: options.host }),
    });
    await serve(
      config,
      createLog(config.mode === 'development' && config.logLevel === 'info' ? 'warn' : config.logLevel),
      version,
    );
  });

program
  .command('user')
  .description('accounts')
  .command('import <file>')
  .description('bring in existing users from CSV or JSON Lines; exit code 1 when rows were refused')
  .option('--tenant <slug>', 'whose users they become', 'default')
  .option('--format <csv|jsonl>', 'what the file is, where its name does not tell')
  .option('--dry-run', 'look at every row and write nothing')
  .option('--resume', 'go on where an import of this file stopped')
  .option('--report <file>', 'where refused rows are told (FILE.refused.jsonl)')
  .option('--json', 'print JSON for programs')
  .action((file: string, options: UserImportOptions) => runUserImport(configure(), file, options));

try {
  await program.parseAsync();
} catch (fault) {
  if (fault instanceof CliError || fault instanceof EmbeddedPostgresInUse) {
    process.stderr.write(`${fault.message}\n`);
    process.exitCode = fault instanceof CliError ? fault.exitCode : 1;
  } else {
    process.stderr.write(`${fault instanceof Error ? fault.stack : String(fault)}\n`);
    process.exitCode = 1;
  }
}
