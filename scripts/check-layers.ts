/**
 * Holds the import rule and the file sizes of ARCHITECTURE.md, whose table it reads.
 * Run: node scripts/check-layers.ts
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { isMain } from './is-main.ts';
import { listFiles } from './list-files.ts';
import { findImports } from './source-text.ts';

/** One line of the map in ARCHITECTURE.md. */
export type MapEntry = {
  readonly name: string;
  readonly row: number;
  /** True: any of its files may be imported. False: only the file named like the folder. */
  readonly isOpen: boolean;
  /** True: announced, may be missing. */
  readonly isLater: boolean;
};

/** What check-layers looks at: the map and the text of every file, by its path from the root (`src/…`). */
export type Sources = {
  readonly map: readonly MapEntry[];
  readonly files: ReadonlyMap<string, string>;
};

const WARN_LINES = 250;
const FAIL_LINES = 400;
const NAMELESS = /(?:^|\/)(?:index|utils?|helpers?|common|misc|shared)(?:\.ts$|\/)/;
const MAP_LINE = /^\|\s*(\d+)\s*\|\s*`([\w-]+)(\/|\.ts)`\s*\|\s*([\w ]+?)\s*\|\s*(\w+)\s*\|/;

/**
 * Reads the map: every table line `| row | folder | open or one door | here or later | … |`.
 * Throws where a line that begins like one cannot be read, or a folder stands twice.
 */
export function readMap(architecture: string): MapEntry[] {
  const map: MapEntry[] = [];
  for (const line of architecture.split('\n').filter((text) => /^\|\s*\d+\s*\|\s*`[^`/]+\/?`/.test(text))) {
    const [, row, name, ending, door, state] = MAP_LINE.exec(line) ?? [];
    if (!name || !['open', 'one door'].includes(door ?? '') || !['here', 'later'].includes(state ?? '')) {
      throw new Error(`ARCHITECTURE.md: cannot read this line of the map: ${line}`);
    }
    const entry = ending === '/' ? name : `${name}.ts`;
    if (map.some((other) => other.name === entry)) throw new Error(`ARCHITECTURE.md: ${entry} stands twice`);
    map.push({ name: entry, row: Number(row), isOpen: door === 'open', isLater: state === 'later' });
  }
  if (map.length === 0) throw new Error('ARCHITECTURE.md: no map found');
  return map;
}

/** Every breach of the import rule and of the map, each as `file:line rule: what is wrong. What to do.` */
export function findViolations({ map, files }: Sources): string[] {
  return [
    ...checkMap({ map, files }),
    ...Array.from(files).flatMap(([path, text]) => checkFile(map, path, text)),
  ];
}

/** Files that are too long: `failures` above 400 lines, `warnings` above 250. */
export function checkSizes(files: ReadonlyMap<string, string>): { failures: string[]; warnings: string[] } {
  const failures: string[] = [];
  const warnings: string[] = [];
  for (const [path, text] of files) {
    const lines = countLines(text);
    if (lines > FAIL_LINES)
      failures.push(`${path}:1 size: ${lines} lines, ${FAIL_LINES} at most. Split it by intention.`);
    else if (lines > WARN_LINES) warnings.push(`${path}:1 size: ${lines} lines, more than ${WARN_LINES}.`);
  }
  return { failures, warnings };
}

function checkMap({ map, files }: Sources): string[] {
  const present = new Set(Array.from(files.keys(), entryOf));
  const unknown = [...present].filter((name) => !map.some((entry) => entry.name === name));
  const missing = map.filter((entry) => !entry.isLater && !present.has(entry.name));
  return [
    ...unknown.map(
      (name) => `src/${name}:1 map: not on the map. Give it a row in ARCHITECTURE.md, or move it.`,
    ),
    ...missing.map(
      (entry) => `src/${entry.name}:1 map: on the map but missing. Mark the row "later" or take it off.`,
    ),
    ...[...files.keys()]
      .filter((path) => NAMELESS.test(path))
      .map((path) => `${path}:1 name: says nothing about what it holds. Name it for its one main export.`),
  ];
}

function checkFile(map: readonly MapEntry[], path: string, text: string): string[] {
  const own = map.find((entry) => entry.name === entryOf(path));
  if (!own || path.endsWith('.test.ts')) return [];
  return findImports(text).flatMap(({ specifier, line }) => {
    const breach = specifier === null ? COMPUTED : checkImport(map, own, path, specifier);
    return breach ? [`${path}:${line} ${breach}`] : [];
  });
}

const COMPUTED = 'computed: an import whose path is made at run time cannot be checked. Write it out.';

function checkImport(
  map: readonly MapEntry[],
  own: MapEntry,
  path: string,
  specifier: string,
): string | undefined {
  if (!specifier.startsWith('.')) {
    return /^(?:\/|file:|#)/.test(specifier) ? `path: '${specifier}'. Import by a relative path.` : undefined;
  }
  const target = posix.join(posix.dirname(path), specifier);
  if (target === 'package.json') return undefined;
  if (!target.startsWith('src/'))
    return `outside: '${specifier}' leaves src/. Code that ships imports only src/.`;
  if (target.endsWith('.test.ts')) return `test: '${specifier}' is a test. Move what is shared out of it.`;
  const other = map.find((entry) => entry.name === entryOf(target));
  if (!other) return `map: '${specifier}' leads to a folder that is not on the map of ARCHITECTURE.md.`;
  if (other === own) return undefined;
  if (other.row > own.row) {
    return `up: ${own.name} (row ${own.row}) imports ${other.name} (row ${other.row}). Move the code down, or pass it in as an argument.`;
  }
  if (other.row === own.row) {
    return `sideways: ${own.name} and ${other.name} share row ${own.row}. Let a higher row bring them together.`;
  }
  const door = `src/${other.name}/${other.name}.ts`;
  if (other.isOpen || target === door) return undefined;
  return `private: '${specifier}' is inside ${other.name}. Import ${door}, and offer there what you need.`;
}

/** The map's name for a file: its folder under src/, or the file itself where it lies in src/. */
function entryOf(path: string): string {
  return path.split('/')[1] ?? path;
}

function countLines(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

function main(root: string): void {
  const paths = existsSync(join(root, 'src')) ? listFiles(root, ['src'], ['.ts']) : [];
  const files = new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
  const map = readMap(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'));
  const { failures, warnings } = checkSizes(files);
  const violations = [...findViolations({ map, files }), ...failures];
  const sizes = Array.from(files.values(), countLines).sort((one, other) => one - other);
  for (const line of [...warnings.map((text) => `warning ${text}`), ...violations]) console.log(line);
  const at = (share: number): number => sizes[Math.floor((sizes.length - 1) * share)] ?? 0;
  console.log(
    `${files.size} files, median ${at(0.5)} lines, nine in ten at most ${at(0.9)}; ${violations.length} violations`,
  );
  if (violations.length > 0) process.exitCode = 1;
}

if (isMain(import.meta.filename)) main(dirname(import.meta.dirname));
