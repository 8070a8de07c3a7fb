import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { DatabaseAddress } from '../db/database.ts';
import { createDatabases, type Databases } from '../db/databases.ts';
import {
  connectToRunningEmbedded,
  hasEmbeddedCluster,
  type RunningEmbedded,
} from '../db/embedded/connect-to-running.ts';
import {
  type EmbeddedPostgres,
  EmbeddedPostgresInUse,
  startEmbeddedPostgres,
} from '../db/embedded-postgres.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { claimDataFolder } from './data-mode.ts';
import { CliError } from './errors.ts';

/** Markets that development mode seeds, each with a database of its own. */
export const DEVELOPMENT_MARKETS = ['us', 'uz'] as const;

/** Connections a command opens to each database: it does one thing after the other. */
const COMMAND_CONNECTIONS = 2;
/** How long a command waits for a server that is about to start its embedded PostgreSQL. */
const PATIENCE_MILLISECONDS = 5000;

export interface OpenDatabases {
  databases: Databases;
  /** Where people may connect to the control database with other programs; never with its password. */
  description: string;
  /** Stops the embedded server, if it was started here. The pools are closed before, by their user. */
  release(): Promise<void>;
}

export interface OpenOptions {
  config: Config;
  log: Log;
  /** `server` owns the embedded PostgreSQL and makes its databases. `command` is a guest where a server runs. */
  as: 'server' | 'command';
  /** For a command: whether a data folder that holds no database yet gets one. */
  create?: boolean;
}

/**
 * Opens the databases that the configuration names: outside ones, or the embedded server with a database for the
 * deployment and, in development, one for each seeded market. Pools connect at their first query.
 * @throws EmbeddedPostgresInUse when a second server asks for one data folder
 */
export async function openDatabases(options: OpenOptions): Promise<OpenDatabases> {
  const { config } = options;
  const markets = new Map<string, DatabaseAddress>();
  for (const [name, url] of config.databases ?? []) markets.set(name, { url });
  let release = async (): Promise<void> => {};
  let control: DatabaseAddress;
  let description: string;
  if (config.databaseUrl === undefined) {
    const embedded = await embeddedFor(options);
    release = embedded.release;
    control = await embedded.database('firstproof');
    if (config.mode === 'development') {
      for (const name of DEVELOPMENT_MARKETS) {
        if (!markets.has(name)) markets.set(name, await embedded.database(`firstproof_${name}`));
      }
    }
    description = `embedded PostgreSQL in ${config.dataDirectory}`;
  } else {
    control = { url: config.databaseUrl };
    description = `PostgreSQL at ${new URL(config.databaseUrl).host}`;
  }
  const databases = createDatabases({
    control,
    markets,
    clock: systemClock,
    maxConnections: options.as === 'server' ? config.databaseConnections : COMMAND_CONNECTIONS,
    prepare: config.databasePrepare,
  });
  return { databases, description, release };
}

interface Embedded {
  database(name: string): Promise<DatabaseAddress>;
  release(): Promise<void>;
}

async function embeddedFor({ config, log, as, create = false }: OpenOptions): Promise<Embedded> {
  const { dataDirectory } = config;
  if (as === 'command') {
    if (!create && !hasEmbeddedCluster(dataDirectory)) {
      throw new CliError(
        `There is no database in ${dataDirectory} yet. Start the server once (firstproof serve), ` +
          'or make it with: firstproof migrate',
      );
    }
    const running = connectToRunningEmbedded(dataDirectory);
    if (running) return asGuest(running);
  }
  claimDataFolder(config);
  try {
    return asOwner(await start(dataDirectory, log));
  } catch (fault) {
    if (as === 'server' || !(fault instanceof EmbeddedPostgresInUse)) throw fault;
    return asGuest(await waitForRunning(dataDirectory, fault));
  }
}

function start(dataDirectory: string, log: Log): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    dataDirectory,
    log: (level, message, fields) => log[level]({ event: 'embedded_postgres', ...fields }, message),
  });
}

async function waitForRunning(dataDirectory: string, fault: Error): Promise<RunningEmbedded> {
  for (let waited = 0; waited < PATIENCE_MILLISECONDS; waited += 100) {
    const running = connectToRunningEmbedded(dataDirectory);
    if (running) return running;
    await sleep(100);
  }
  throw fault;
}

function asOwner(embedded: EmbeddedPostgres): Embedded {
  return {
    async database(name) {
      await embedded.ensureDatabase(name);
      return embedded.connection(name);
    },
    release: () => embedded.stop(),
  };
}

function asGuest(running: RunningEmbedded): Embedded {
  return { database: async (name) => running.connection(name), release: async () => {} };
}
