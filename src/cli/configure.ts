import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { type Config, type ConfigProblem, type ConfigSource, loadConfig } from '../config/config.ts';
import { settings } from '../config/settings.ts';
import { modeOfData } from './data-mode.ts';
import { CliError } from './errors.ts';

export interface ConfigureOptions {
  /** `--development` was given. */
  development?: boolean | undefined;
  /** What else the command line says, such as --port. */
  overrides?: ConfigSource['overrides'];
  /** `server`: all that serving needs. `databases`: only how to reach them. */
  needs: 'server' | 'databases';
  /** Commands beside the server follow the mode in which the data folder was made; serve wants to be told. */
  followData: boolean;
}

export type Configured = { ok: true; config: Config } | { ok: false; problems: ConfigProblem[] };

/**
 * Reads the configuration as one command needs it: flags, else the environment, else `.env` in the working folder,
 * and for the mode last the data folder itself, so that `firstproof tenant list` beside `npm start` just works.
 */
export function readConfiguration(options: ConfigureOptions): Configured {
  const { env, fileProblem } = environment();
  const result = loadConfig({
    env,
    overrides: { ...options.overrides, ...modeOverride(options, env) },
    serving: options.needs === 'server',
  });
  const mode = options.development ? 'development' : env['FIRSTPROOF_MODE'];
  if (fileProblem === undefined || mode === 'development') return result;
  return { ok: false, problems: [...(result.ok ? [] : result.problems), fileProblem] };
}

/** @throws CliError (exit 2) with every problem at once */
export function configure(options: ConfigureOptions): Config {
  const result = readConfiguration(options);
  if (result.ok) return result.config;
  const lines = result.problems.map((problem) => `  ${problem.message}`);
  const hint =
    options.needs === 'server' && result.problems.some(({ message }) => message.includes('is missing'))
      ? '\nTo look around without setting anything: firstproof serve --development'
      : '';
  throw new CliError(`This configuration cannot be used:\n${lines.join('\n')}${hint}`, 2);
}

function modeOverride(
  options: ConfigureOptions,
  env: Record<string, string | undefined>,
): ConfigSource['overrides'] {
  if (options.development) return { mode: 'development' };
  if (!options.followData || env['FIRSTPROOF_MODE'] || env['DATABASE_URL'] || env['DATABASE_URL_FILE']) {
    return {};
  }
  const mode = modeOfData(env['FIRSTPROOF_DATA_DIR'] || settings.dataDirectory.default || '');
  return mode === undefined ? {} : { mode };
}

/** The environment, with what `.env` in the working folder adds to it. */
function environment(): { env: Record<string, string | undefined>; fileProblem?: ConfigProblem } {
  let file: Record<string, string | undefined>;
  try {
    file = parseEnv(readFileSync('.env', 'utf8'));
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return { env: process.env };
    throw new CliError(`.env cannot be read: ${(fault as Error).message}`, 2);
  }
  const env = { ...file, ...process.env };
  const held = Object.values(settings).find((setting) => setting.secret && file[setting.name]);
  if (!held || process.platform === 'win32' || (statSync('.env').mode & 0o007) === 0) return { env };
  const message = `.env holds ${held.name} and everybody may read it: chmod 600 .env`;
  return { env, fileProblem: { setting: '.env', message } };
}
