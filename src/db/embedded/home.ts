import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { readIfPresent, syncDirectory, writeDurably } from './files.ts';
import { acquireOwnerLock } from './owner-lock.ts';
import { findPostmaster, stopPostmaster } from './postmaster.ts';
import { mayReach } from './system-user.ts';
import type { SystemUser } from './system-user.ts';

const POINTER = 'postgres-location.json';
const BELONGS_TO = 'belongs-to';
const OUTSIDE = ['/var/lib/firstproof', '/var/tmp/firstproof'];

/** A folder for what the unprivileged user must reach and a restart must not lose. Made on first use. */
export function outsideDirectory(): string {
  for (const directory of OUTSIDE) {
    try {
      mkdirSync(directory, { recursive: true });
      chmodSync(directory, 0o755);
      const { uid } = statSync(directory);
      // /var/tmp is everybody's: a folder that someone else put there first is not used.
      if (uid === process.geteuid?.()) return directory;
    } catch {
      // The next one.
    }
  }
  throw new Error(
    `PostgreSQL does not run as root, and no folder its own user may enter can be made ` +
      `(${OUTSIDE.join(', ')}). Start the server as an ordinary user, or set DATABASE_URL.`,
  );
}

/** Where the cluster of a data directory is, or is going to be: a folder that holds `postgres/`. */
export function findHome(dataDirectory: string): string {
  const pointer = readIfPresent(path.join(dataDirectory, POINTER));
  return pointer ? (JSON.parse(pointer) as { home: string }).home : dataDirectory;
}

/**
 * Returns the home of the cluster, for a first boot outside the data directory where the user PostgreSQL
 * runs as cannot enter that; a pointer file in the data directory then names it. Throws when a cluster that
 * is already there has come out of its user's reach.
 */
export async function placeHome(dataDirectory: string, user: SystemUser): Promise<string> {
  const home = findHome(dataDirectory);
  if (mayReach(user, home)) return home;
  if (existsSync(path.join(home, 'postgres')) || home !== dataDirectory) {
    throw new Error(
      `The embedded PostgreSQL may not enter ${home}, where its data is. ` +
        'Let other users pass through that folder and those above it (chmod o+x), or start as its owner.',
    );
  }
  await removeAbandonedTemporaries();
  const name = createHash('sha256').update(realpathSync(dataDirectory)).digest('hex').slice(0, 12);
  // Random, so that a data directory that was deleted and made again never meets its old cluster.
  const outside = path.join(outsideDirectory(), `${name}-${randomBytes(4).toString('hex')}`);
  mkdirSync(outside);
  chmodSync(outside, 0o711);
  writeFileSync(path.join(outside, BELONGS_TO), `${realpathSync(dataDirectory)}\n`);
  syncDirectory(outside);
  writeDurably(path.join(dataDirectory, POINTER), `${JSON.stringify({ home: outside })}\n`, 0o644);
  return outside;
}

/**
 * Removes outside clusters whose data directory was a temporary one that is gone: tests and trials leave
 * them. A missing directory elsewhere may be a disk that is not mounted, so its cluster is never touched.
 */
async function removeAbandonedTemporaries(): Promise<void> {
  const temporary = realpathSync(os.tmpdir()) + path.sep;
  const outside = outsideDirectory();
  for (const name of readdirSync(outside)) {
    const home = path.join(outside, name);
    const dataDirectory = readIfPresent(path.join(home, BELONGS_TO))?.trim();
    if (!dataDirectory?.startsWith(temporary) || existsSync(dataDirectory)) continue;
    const lock = await acquireOwnerLock(home);
    if (!lock.ok) continue;
    const left = findPostmaster(path.join(home, 'postgres'));
    if (left) await stopPostmaster(undefined, path.join(home, 'postgres'), left.pid);
    lock.release();
    rmSync(home, { recursive: true, force: true });
  }
}
