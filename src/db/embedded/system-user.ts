import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

/** The system user PostgreSQL runs as; undefined where that is simply the user of this process. */
export type SystemUser = { uid: number; gid: number } | undefined;

/**
 * Chooses whom PostgreSQL runs as. It refuses to run as root, so root hands it to an unprivileged user:
 * the owner of the cluster where there is one, else `postgres`, else `nobody`, else any named user
 * (initdb looks its own user up and stops at one that has no name).
 */
export function chooseSystemUser(existingCluster: string): SystemUser {
  if (process.platform === 'win32' || process.geteuid?.() !== 0) return undefined;
  const owned = statSync(existingCluster, { throwIfNoEntry: false });
  if (owned && owned.uid !== 0) return { uid: owned.uid, gid: owned.gid };
  const users = readUsers();
  return (
    users.find((user) => user.name === 'postgres') ??
    users.find((user) => user.name === 'nobody') ??
    users.find((user) => user.uid !== 0) ?? { uid: 65534, gid: 65534 }
  );
}

/** Whether the user may read the file (or enter the directory) and enter every directory above it. */
export function mayReach(user: SystemUser, target: string): boolean {
  if (!user) return true;
  let current: string;
  try {
    current = realpathSync(target);
  } catch {
    return false;
  }
  if (!allows(user, current, statSync(current).isDirectory() ? 0o1 : 0o4)) return false;
  for (let parent = path.dirname(current); ; parent = path.dirname(parent)) {
    if (!allows(user, parent, 0o1)) return false;
    if (parent === path.dirname(parent)) return true;
  }
}

/** The same of many files below a folder, none of them a link. @param files relative to it */
export function mayReachAll(user: SystemUser, folder: string, files: readonly string[]): boolean {
  if (!user) return true;
  if (!mayReach(user, folder)) return false;
  const real = realpathSync(folder);
  const folders = new Set<string>();
  for (const file of files) {
    for (let above = path.dirname(file); above !== '.'; above = path.dirname(above)) folders.add(above);
  }
  const allowsAll = (names: Iterable<string>, bit: number): boolean =>
    [...names].every((name) => allows(user, path.join(real, name), bit));
  return allowsAll(folders, 0o1) && allowsAll(files, 0o4);
}

function allows(user: { uid: number; gid: number }, file: string, bit: number): boolean {
  const { mode, uid, gid } = statSync(file);
  // A spawned user has no further groups: the kernel asks exactly one of the three triplets.
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & bit) === bit;
}

function readUsers(): { name: string; uid: number; gid: number }[] {
  let text = '';
  try {
    text = readFileSync('/etc/passwd', 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name, , uid, gid]) => ({ name: name ?? '', uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }));
}
