import { realpathSync } from 'node:fs';

/**
 * Whether Node.js was started with this file (`import.meta.filename`). A check that is asked wrongly would pass in
 * silence, so symbolic links are followed; `import.meta.main` is missing before Node.js 24.2.
 */
export function isMain(filename: string): boolean {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === realpathSync(filename);
}
