import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { DatabaseAddress } from '../db/database.ts';
import { createDatabases, type Databases } from '../db/databases.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../db/embedded-postgres.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { randomToken } from '../kernel/secrets.ts';

/** Markets that development mode seeds, each with a database of its own. */
export const DEVELOPMENT_MARKETS = ['us', 'uz'] as const;

export interface OpenDatabases {
  databases: Databases;
  /** The embedded server, when this process runs one. */
  embedded: EmbeddedPostgres | undefined;
  /** Where people may connect to the control database with other programs; never with its password. */
  description: string;
  /** Closes the pools and stops the embedded server. */
  close(): Promise<void>;
}

/**
 * Opens the databases that the configuration names: outside ones, or the embedded server with a database for the
 * deployment and, in development, one for each seeded market.
 * @throws EmbeddedPostgresInUse when another server owns the data folder
 */
export async function openDatabases(config: Config, clock: Clock, log: Log): Promise<OpenDatabases> {
  const markets = new Map<string, DatabaseAddress>();
  for (const [name, url] of config.databases ?? []) markets.set(name, { url });
  let embedded: EmbeddedPostgres | undefined;
  let control: DatabaseAddress;
  if (config.databaseUrl === undefined) {
    embedded = await startEmbedded(config, log);
    await embedded.ensureDatabase('firstproof');
    control = embedded.connection('firstproof');
    if (config.mode === 'development') {
      for (const name of DEVELOPMENT_MARKETS) {
        if (markets.has(name)) continue;
        await embedded.ensureDatabase(`firstproof_${name}`);
        markets.set(name, embedded.connection(`firstproof_${name}`));
      }
    }
  } else {
    control = { url: config.databaseUrl };
  }
  const databases = createDatabases({
    control,
    markets,
    clock,
    maxConnections: config.databaseConnections,
    prepare: config.databasePrepare,
  });
  return {
    databases,
    embedded,
    description: embedded
      ? `embedded PostgreSQL in ${config.dataDirectory}`
      : `PostgreSQL at ${new URL(config.databaseUrl ?? 'postgres://').host}`,
    close: async () => {
      await databases.close();
      await embedded?.stop();
    },
  };
}

function startEmbedded(config: Config, log: Log): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    dataDirectory: config.dataDirectory,
    log: (level, message, fields) => log[level]({ event: 'embedded_postgres', ...fields }, message),
  });
}

/** A secret of development mode: made once, kept with the data, readable by its owner only. */
export function developmentSecret(
  config: Config,
  name: string,
  make: () => string = () => randomToken(48),
): string {
  const file = join(config.dataDirectory, name);
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  if (!existsSync(config.dataDirectory)) mkdirSync(config.dataDirectory, { recursive: true, mode: 0o711 });
  const secret = make();
  writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(file, 0o600);
  return secret;
}
