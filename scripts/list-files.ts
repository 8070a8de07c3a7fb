import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const SKIPPED = new Set(['node_modules', '.git', 'data', 'coverage', '.scratch']);

/**
 * Every file under the given folders whose name ends in one of `endings`, as sorted paths from `root` with
 * forward slashes. Dependencies, data and version control are left out; a missing folder is empty.
 */
export function listFiles(root: string, folders: readonly string[], endings: readonly string[]): string[] {
  const walk = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : walk(path);
      return endings.some((ending) => entry.name.endsWith(ending)) ? [path] : [];
    });
  const present = folders.filter((folder) =>
    statSync(join(root, folder), { throwIfNoEntry: false })?.isDirectory(),
  );
  return present.flatMap(walk).sort();
}
