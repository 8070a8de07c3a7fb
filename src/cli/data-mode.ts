import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config } from '../config/config.ts';
import { readIfPresent, writeDurably } from '../db/embedded/files.ts';
import { randomToken } from '../kernel/secrets.ts';
import { CliError } from './errors.ts';

type Mode = Config['mode'];

/** The mode in which a data folder was made, kept in it as the file `mode`; undefined for a new folder. */
export function modeOfData(dataDirectory: string): Mode | undefined {
  const file = join(dataDirectory, 'mode');
  const word = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  return word === 'development' || word === 'production' ? word : undefined;
}

/**
 * Holds a data folder to the mode it was made in: development would show a production's codes in its inbox, and
 * production has not the secret that development's keys are sealed with.
 * @throws CliError when the folder is of the other mode
 */
export function claimDataFolder(config: Config): void {
  const known = modeOfData(config.dataDirectory);
  if (known === undefined) {
    makeDataFolder(config.dataDirectory);
    writeFileSync(join(config.dataDirectory, 'mode'), `${config.mode}\n`, { mode: 0o644 });
  } else if (known !== config.mode) {
    throw new CliError(
      `The data in ${config.dataDirectory} was made in ${known} mode, and this is ${config.mode} mode. ` +
        `Give ${config.mode} a folder of its own (FIRSTPROOF_DATA_DIR)` +
        (known === 'development' ? ', or run with --development.' : '.'),
      2,
    );
  }
}

/** A secret of development mode: made once, kept with the data, readable by its owner only. */
export function developmentSecret(
  config: Config,
  name: string,
  make: () => string = () => randomToken(48),
): string {
  const file = join(config.dataDirectory, name);
  const kept = readIfPresent(file)?.trim();
  if (kept) return kept;
  makeDataFolder(config.dataDirectory);
  const secret = make();
  // Whole or not at all: the half of a secret that a crash leaves would open everything to whoever guesses it.
  writeDurably(file, `${secret}\n`, 0o600);
  return secret;
}

function makeDataFolder(dataDirectory: string): void {
  if (existsSync(dataDirectory)) return;
  mkdirSync(dataDirectory, { recursive: true });
  // Run by root, PostgreSQL's own user passes through to its cluster; every secret beside it is 0600.
  chmodSync(dataDirectory, process.geteuid?.() === 0 ? 0o711 : 0o700);
}
