import { closeSync, existsSync, fstatSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { program } from './binaries.ts';
import { serverEnvironment } from './cluster.ts';
import { readIfPresent, writeDurably } from './files.ts';
import { commandOfProcess, startOfProcess } from './running-process.ts';
import type { SystemUser } from './system-user.ts';

/** What a start needs to know. `settings` come before the ones that keep data safe, and cannot undo them. */
export interface PostmasterPlan {
  binaries: string;
  cluster: string;
  port: number;
  socketDirectory: string;
  settings: Record<string, string>;
  logFile: string;
  user: SystemUser;
}

/** A server that runs: its process and where it listens. */
export interface Postmaster {
  pid: number;
  port: number;
  socketDirectory: string;
  ready: boolean;
}

const LARGEST_LOG = 10 * 1024 * 1024;

const DEFAULTS = {
  max_connections: '200',
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  password_encryption: 'scram-sha-256',
  cluster_name: 'firstproof',
  // Statements and details carry addresses of people: they stay out of the log.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

// On the command line, which neither ALTER SYSTEM nor an edited file overrides.
const SAFETY = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  listen_addresses: '127.0.0.1',
};

/** The words a server is started with. */
function commandWords(plan: Omit<PostmasterPlan, 'logFile' | 'user'>): string[] {
  const settings = { ...DEFAULTS, ...plan.settings, ...SAFETY, unix_socket_permissions: '0700' };
  const sockets = process.platform === 'win32' ? '' : plan.socketDirectory;
  return [
    ...['-D', plan.cluster, '-p', String(plan.port), '-k', sockets],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

/**
 * Returns the server that runs on this cluster, or undefined. The pid file alone is not believed: its pid
 * must belong to a process that was started on this very cluster.
 */
export function findPostmaster(cluster: string): Postmaster | undefined {
  const lines = readIfPresent(path.join(cluster, 'postmaster.pid'))?.split('\n') ?? [];
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1 || startOfProcess(pid) === undefined) return undefined;
  if (process.platform !== 'win32' && !commandOfProcess(pid).includes(`-D ${cluster} -p `)) return undefined;
  return {
    pid,
    port: Number(lines[3]),
    socketDirectory: lines[4] ?? '',
    ready: lines[7]?.trim() === 'ready',
  };
}

/** Whether the server was started by the same binaries with the same settings as a start would use now. */
export function runsAsPlanned(plan: Omit<PostmasterPlan, 'logFile' | 'user'>): boolean {
  const options = readIfPresent(path.join(plan.cluster, 'postmaster.opts'))?.trim();
  const words = commandWords(plan).map((word) => `"${word}"`);
  return options === [program(plan.binaries, 'postgres'), ...words].join(' ');
}

/**
 * Starts the server and waits until it accepts connections. `onExit` hears of its end, whenever that comes.
 * Throws with the end of its log when it ends before it is ready, or is not ready within two minutes
 * (recovery after a crash replays at most `max_wal_size`).
 */
export async function startPostmaster(plan: PostmasterPlan, onExit: () => void): Promise<Postmaster> {
  disownPidFile(plan.cluster, plan.user);
  const log = openLog(plan.logFile);
  const logged = fstatSync(log).size;
  const child = spawn(program(plan.binaries, 'postgres'), commandWords(plan), {
    ...plan.user,
    cwd: path.parse(plan.cluster).root,
    env: serverEnvironment(),
    // Its own session: Ctrl-C in the terminal must not stop it before we have drained.
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = `it ended with ${code ?? signal}`;
    onExit();
  });
  child.unref();
  for (let waited = 0; ended === undefined && waited < 120_000; waited += 5) {
    const found = child.pid ? findPostmaster(plan.cluster) : undefined;
    if (found?.ready && found.pid === child.pid) return found;
    await sleep(5);
  }
  if (ended === undefined && child.pid) await stopPostmaster(plan.binaries, plan.cluster, child.pid);
  throw new Error(`PostgreSQL did not start: ${ended ?? 'not ready in time'}\n${tail(plan.logFile, logged)}`);
}

/**
 * Stops a server and waits for its end: fast shutdown, after 10 s immediate shutdown (recovered at the next
 * start), after 5 s more kill.
 */
export async function stopPostmaster(
  binaries: string | undefined,
  cluster: string,
  pid: number,
): Promise<void> {
  const started = startOfProcess(pid);
  const steps: ['SIGINT' | 'SIGQUIT' | 'SIGKILL', number][] = [
    ['SIGINT', 10_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ];
  for (const [signal, patience] of steps) {
    if (started === undefined || startOfProcess(pid) !== started) return;
    signalPostmaster(binaries, cluster, pid, signal);
    for (let waited = 0; waited < patience; waited += 10) {
      if (startOfProcess(pid) !== started) return;
      await sleep(10);
    }
  }
  throw new Error(`PostgreSQL (pid ${pid}) does not end.`);
}

function signalPostmaster(
  binaries: string | undefined,
  cluster: string,
  pid: number,
  signal: NodeJS.Signals,
): void {
  // On Windows a signal is a kill: pg_ctl talks to the server's own signal pipe.
  const control = binaries && program(binaries, 'pg_ctl');
  if (process.platform === 'win32' && control && existsSync(control) && signal !== 'SIGKILL') {
    const mode = signal === 'SIGINT' ? 'fast' : 'immediate';
    spawnSync(control, ['stop', '-D', cluster, '-m', mode, '-W'], { timeout: 5_000 });
    return;
  }
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * A pid file left by a crash may name a pid that a stranger has by now, or one that is dead but not yet
 * reaped, and PostgreSQL would refuse to start. Removing the file would also remove the key by which it sees
 * that old backends still write, so the pid alone is replaced, by that of the server's future parent: the
 * one living process it never takes for another server.
 */
function disownPidFile(cluster: string, user: SystemUser): void {
  const file = path.join(cluster, 'postmaster.pid');
  const text = readIfPresent(file);
  if (text === undefined || findPostmaster(cluster)) return;
  writeDurably(file, text.replace(/^[^\n]*/, String(process.pid)), 0o600, user);
}

function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LARGEST_LOG) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

function tail(file: string, from: number): string {
  try {
    return readFileSync(file).subarray(from).toString().slice(-2_000).trim();
  } catch {
    return '';
  }
}
