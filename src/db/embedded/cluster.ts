import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, renameSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { program } from './binaries.ts';
import { readIfPresent, syncDirectory, writeDurably } from './files.ts';
import type { SystemUser } from './system-user.ts';

/** The one role of an embedded server. */
export const SUPERUSER = 'firstproof';

// sockaddr_un holds 104 bytes on macOS and 108 on Linux, the closing zero included.
const LONGEST_SOCKET = 100;

/** Returns the superuser's password, made and kept with the data before the first cluster is. */
export function keepPassword(dataDirectory: string, clusterExists: boolean): string {
  const file = path.join(dataDirectory, 'postgres-password');
  const known = readIfPresent(file)?.trim();
  if (known) return known;
  if (clusterExists) {
    throw new Error(`The password of the embedded PostgreSQL is missing: restore ${file} from a backup.`);
  }
  const password = randomBytes(32).toString('base64url');
  writeDurably(file, `${password}\n`, 0o600);
  return password;
}

/**
 * Makes the cluster `home`/postgres. initdb works under another name and syncs what it wrote; only a
 * finished cluster gets the name, so one that was interrupted is simply made again.
 */
export async function createCluster(
  home: string,
  binaries: string,
  password: string,
  user: SystemUser,
): Promise<void> {
  for (const name of readdirSync(home)) {
    if (name.startsWith('postgres.new-')) rmSync(path.join(home, name), { recursive: true, force: true });
  }
  const draft = mkdtempSync(path.join(home, 'postgres.new-'));
  const passwordFile = path.join(draft, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600, flag: 'wx' });
  if (user) {
    chownSync(passwordFile, user.uid, user.gid);
    chownSync(draft, user.uid, user.gid);
  }
  await runInitdb(program(binaries, 'initdb'), path.join(draft, 'cluster'), passwordFile, user);
  renameSync(path.join(draft, 'cluster'), path.join(home, 'postgres'));
  syncDirectory(home);
  rmSync(draft, { recursive: true, force: true });
}

async function runInitdb(
  initdb: string,
  cluster: string,
  passwordFile: string,
  user: SystemUser,
): Promise<void> {
  const words = [
    ...['--pgdata', cluster, '--username', SUPERUSER, '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--no-locale', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    // Given, these are not searched for by starting the server again and again; each start sets its own.
    ...['--no-instructions', '-c', 'shared_buffers=16MB', '-c', 'max_connections=20'],
  ];
  const child = spawn(initdb, words, {
    ...user,
    cwd: path.parse(cluster).root,
    env: serverEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const code = await new Promise<number | string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (exit, signal) => resolve(exit ?? signal));
  });
  if (code === 0) return;
  const hint = complaint.includes('could not look up effective user ID')
    ? ' The user this runs as has no name: add it to /etc/passwd, or set DATABASE_URL.'
    : '';
  throw new Error(`initdb failed (${code}): ${complaint.trim().slice(-2_000)}${hint}`);
}

/** The environment of the server's programs: nothing of ours, so that no secret of ours is readable there. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot } = process.env;
  return { ...(PATH ? { PATH } : {}), ...(SystemRoot ? { SystemRoot } : {}), LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * Returns a folder for the server's socket that only its user enters: beside the cluster where the path is
 * short enough for a socket's address, else a fresh one among the temporary files.
 */
export function makeSocketDirectory(home: string, user: SystemUser): string {
  let directory = path.join(home, 'postgres-socket');
  if (Buffer.byteLength(path.join(directory, '.s.PGSQL.65535')) > LONGEST_SOCKET) {
    directory = mkdtempSync(path.join(os.tmpdir(), 'firstproof-'));
  }
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o700);
  if (user) chownSync(directory, user.uid, user.gid);
  return directory;
}
