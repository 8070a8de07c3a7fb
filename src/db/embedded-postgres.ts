import { chmodSync, existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectPostgres } from './driver.ts';
import { placeBinaries } from './embedded/binaries.ts';
import { SUPERUSER, createCluster, keepPassword, makeSocketDirectory } from './embedded/cluster.ts';
import { findHome, outsideDirectory, placeHome } from './embedded/home.ts';
import { acquireOwnerLock } from './embedded/owner-lock.ts';
import { findPostmaster, runsAsPlanned, stopPostmaster } from './embedded/postmaster.ts';
import type { Postmaster, PostmasterPlan } from './embedded/postmaster.ts';
import { superviseServer } from './embedded/supervisor.ts';
import type { Log } from './embedded/supervisor.ts';
import { chooseSystemUser } from './embedded/system-user.ts';

export interface EmbeddedPostgresOptions {
  dataDirectory: string;
  log: Log;
  /** Server settings by name. The ones that keep data safe (fsync and its like) cannot be changed. */
  settings?: Record<string, string>;
}

/** What postgres.js needs to connect. `host` is the socket's folder (127.0.0.1 on Windows). */
export interface EmbeddedConnection {
  host: string;
  port: number;
  username: string;
  password: string;
  database: string;
}

export interface EmbeddedPostgres {
  /** True when a server that still ran was taken over from an owner that died. */
  readonly adopted: boolean;
  /** True when this start made the cluster. */
  readonly firstBoot: boolean;
  /** The server's process now: another one after a crash. */
  readonly pid: number;
  connection(database: string): EmbeddedConnection;
  /** A loopback URL for other programs. It holds the password. */
  url(database: string): string;
  /** Makes the database where it is absent, from `template` where that is given. */
  ensureDatabase(name: string, template?: string): Promise<void>;
  /** Stops the server, waits for its end and gives the data directory up. */
  stop(): Promise<void>;
}

/** Refusal: another living process owns the data directory. `ownerPid` is that process. */
export class EmbeddedPostgresInUse extends Error {
  override readonly name = 'EmbeddedPostgresInUse';
  readonly ownerPid: number;

  constructor(dataDirectory: string, ownerPid: number) {
    super(
      `The data directory ${dataDirectory} is in use by the server with process id ${ownerPid}. ` +
        'Stop that server, or give this one another FIRSTPROOF_DATA_DIR.',
    );
    this.ownerPid = ownerPid;
  }
}

/**
 * Starts the embedded PostgreSQL of a data directory, or takes over the one that a killed owner left
 * running, and keeps it running until `stop()`. See docs/decisions/0002-embedded-postgres.md.
 * Throws EmbeddedPostgresInUse (within a second) while another process of this machine owns the directory,
 * and plain errors whose message says what to do when PostgreSQL cannot be placed or started.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDirectory = openDataDirectory(options.dataDirectory);
  const releases: (() => void)[] = [];
  const own = async (directory: string): Promise<void> => {
    let lock = await acquireOwnerLock(directory);
    // A process that was just killed may take a moment to die, for one that writes to a slow disk.
    for (let tries = 0; !lock.ok && tries < 3; tries += 1) {
      await sleep(100);
      lock = await acquireOwnerLock(directory);
    }
    if (!lock.ok) throw new EmbeddedPostgresInUse(dataDirectory, lock.pid);
    releases.unshift(lock.release);
  };
  const release = (): void => releases.splice(0).forEach((each) => each());
  try {
    await own(dataDirectory);
    return await startOwned(dataDirectory, options, own, release);
  } catch (error) {
    release();
    throw error;
  }
}

async function startOwned(
  dataDirectory: string,
  { log, settings = {} }: EmbeddedPostgresOptions,
  own: (directory: string) => Promise<void>,
  release: () => void,
): Promise<EmbeddedPostgres> {
  const user = chooseSystemUser(path.join(findHome(dataDirectory), 'postgres'));
  const home = await placeHome(dataDirectory, user);
  const cluster = path.join(home, 'postgres');
  // The data directory has its own lock; a copy of it must not open the same cluster elsewhere.
  if (home !== dataDirectory) await own(home);

  const firstBoot = !existsSync(cluster);
  const password = keepPassword(dataDirectory, !firstBoot);
  const binaries = placeBinaries(user, () => copiesDirectory(dataDirectory));
  if (firstBoot) await createCluster(home, binaries, password, user);

  const left = findPostmaster(cluster);
  const plan: PostmasterPlan = {
    binaries,
    cluster,
    port: left?.port ?? (await freePort()),
    socketDirectory: left?.socketDirectory ?? makeSocketDirectory(home, user),
    settings,
    logFile: path.join(dataDirectory, 'postgres.log'),
    user,
  };
  const adopted = left !== undefined && (await isHealthy(plan, left, password));
  if (left && !adopted) {
    log('warn', 'a PostgreSQL that an earlier owner left is stopped and started again', { pid: left.pid });
    await stopPostmaster(binaries, cluster, left.pid);
    makeSocketDirectory(home, user);
  }
  const supervisor = await superviseServer(plan, adopted ? left : undefined, log);
  const connection = (database: string): EmbeddedConnection => connectionTo(plan, password, database);
  log('info', 'the embedded PostgreSQL accepts connections', {
    pid: supervisor.pid(),
    port: plan.port,
    adopted,
    first_boot: firstBoot,
  });

  return {
    adopted,
    firstBoot,
    get pid() {
      return supervisor.pid();
    },
    connection,
    url: (database) =>
      `postgres://${SUPERUSER}:${password}@127.0.0.1:${plan.port}/${encodeURIComponent(database)}`,
    ensureDatabase: (name, template) => ensureDatabase(connection('postgres'), name, template),
    async stop() {
      await supervisor.stop();
      rmSync(plan.socketDirectory, { recursive: true, force: true });
      release();
    },
  };
}

function openDataDirectory(asked: string): string {
  if (!existsSync(asked)) {
    mkdirSync(asked, { recursive: true });
    // Run by root, PostgreSQL's own user passes through to its cluster; every secret beside it is 0600.
    chmodSync(asked, process.geteuid?.() === 0 ? 0o711 : 0o700);
  }
  return realpathSync(asked);
}

function copiesDirectory(dataDirectory: string): string {
  const base = process.geteuid?.() === 0 ? outsideDirectory() : dataDirectory;
  const directory = path.join(base, 'postgres-binaries');
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  return directory;
}

function connectionTo(
  { port, socketDirectory }: Pick<PostmasterPlan, 'port' | 'socketDirectory'>,
  password: string,
  database: string,
): EmbeddedConnection {
  const host = process.platform === 'win32' ? '127.0.0.1' : socketDirectory;
  return { host, port, username: SUPERUSER, password, database };
}

async function isHealthy(plan: PostmasterPlan, left: Postmaster, password: string): Promise<boolean> {
  if (!left.ready || !runsAsPlanned(plan)) return false;
  const sql = connectPostgres({
    ...connectionTo(left, password, 'postgres'),
    max: 1,
    connect_timeout: 2,
    onnotice: () => {},
  });
  try {
    const [row] = await sql<{ directory: string }[]>`select current_setting('data_directory') as directory`;
    return row?.directory === plan.cluster;
  } catch {
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function ensureDatabase(
  connection: EmbeddedConnection,
  name: string,
  template?: string,
): Promise<void> {
  const sql = connectPostgres({ ...connection, max: 1, onnotice: () => {} });
  try {
    const found = await sql`select 1 from pg_database where datname = ${name}`;
    if (found.length > 0) return;
    const from = template === undefined ? sql`` : sql`template ${sql(template)}`;
    await sql`create database ${sql(name)} ${from}`;
  } catch (error) {
    // Two at once: 42P04 is duplicate_database, 23505 the same seen by the index.
    if (!['42P04', '23505'].includes((error as { code?: string }).code ?? '')) throw error;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
