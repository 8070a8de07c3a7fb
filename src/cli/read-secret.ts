import { readFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { CliError } from './errors.ts';

/**
 * A secret from a file, or from standard input; never from an argument, which everybody on the machine sees.
 * @param wanted what to paste, for whoever sits at the terminal
 * @throws CliError that names the file
 */
export async function readSecret(file: string | undefined, wanted: string): Promise<string> {
  if (file === undefined) {
    if (process.stdin.isTTY) process.stderr.write(`Paste ${wanted}, then Enter and Ctrl-D:\n`);
    return (await readAll(process.stdin)).trim();
  }
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new CliError(`The file ${file} cannot be read.`, 2);
  }
}
