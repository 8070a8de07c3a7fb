/**
 * Holds docs/reference/security.md to what there is: each of its rules has tests named by it, each fault stands in its
 * rule's row and can still be put into the source, and no row speaks of a test or a fault that is gone.
 * Run: node scripts/check-security.ts
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { isMain } from './is-main.ts';
import { listFiles } from './list-files.ts';

const PAGE = 'docs/reference/security.md';
const FAULTS = 'test/seeded-faults';
const RULE = '[SRC]\\d{1,2}|model';
/** Broken, one of these gives an account away or loses data: their tests must have been seen red. */
const GRAVE = /^S(?:0\d|1\d|2[0-3])$/;
/** Every rule that must be spoken of: held by a row, or named under what is not held. */
const KNOWN = [...numbered('S', 52), ...numbered('R', 17)];

/** What is compared with the page. */
export interface Project {
  /** Test files by their path from the root. */
  tests: ReadonlyMap<string, string>;
  /** Seeded faults by name: `S01-compare-without-counting`. */
  faults: ReadonlyMap<string, string>;
}

interface Row {
  rule: string;
  line: number;
  files: string[];
  faults: string[];
}

/** Every breach of the page, each as `file:line security: what`. */
export function findSecurityBreaches(page: string, { tests, faults }: Project): string[] {
  const rows = readRows(page);
  const at = (line: number, what: string): string => `${PAGE}:${line} security: ${what}`;
  const titles = new Map([...tests].map(([path, text]) => [path, readTitles(text)]));
  const everyTitle = [...titles.values()].flat();
  const breaches = rows.flatMap(({ rule, line, files, faults: named }) => [
    ...(files.length === 0 ? [at(line, `${rule} is shown by no test. Link the file that has one.`)] : []),
    ...files.flatMap((file) => {
      const found = titles.get(file);
      if (!found) return [at(line, `${rule} is shown by ${file}, which is no test file.`)];
      const isNamed = found.some((title) => title.startsWith(`${rule} `));
      return isNamed ? [] : [at(line, `${file} has no test whose name begins with "${rule} ".`)];
    }),
    ...named
      .filter((fault) => !faults.has(`${rule}-${fault}`))
      .map((fault) => at(line, `${FAULTS}/${rule}-${fault}.patch is missing.`)),
    ...(GRAVE.test(rule) && named.length === 0 && !rows.some((row) => row.rule === rule && row.faults.length)
      ? [at(line, `${rule} was never seen red. Seed a fault in ${FAULTS}/.`)]
      : []),
  ]);
  const seeded = new Set(rows.flatMap(({ rule, faults: named }) => named.map((fault) => `${rule}-${fault}`)));
  for (const [fault, text] of faults) {
    if (!seeded.has(fault)) breaches.push(`${FAULTS}/${fault}.patch security: no row of ${PAGE} names it.`);
    const shownBy = /^Shown by: (.+)$/m.exec(text)?.[1];
    if (shownBy !== undefined && !everyTitle.some((title) => fits(title, shownBy))) {
      breaches.push(`${FAULTS}/${fault}.patch security: no test is named "${shownBy}".`);
    }
  }
  const held = new Set(rows.map((row) => row.rule));
  for (const [path, found] of titles) {
    const rules = new Set(found.map((title) => new RegExp(`^(?:${RULE})(?= )`).exec(title)?.[0]));
    for (const rule of rules) {
      if (rule === undefined || rule === 'model' || held.has(rule)) continue;
      breaches.push(`${path} security: a test is named ${rule}, and ${PAGE} has no row of it.`);
    }
  }
  for (const rule of KNOWN) {
    if (!new RegExp(`\\b${rule}\\b`).test(page)) {
      breaches.push(`${PAGE} security: ${rule} is not spoken of. Give it a row, or say that it is not held.`);
    }
  }
  return breaches;
}

/** The rows of the page's tables whose first cell is a rule: rule, what holds, shown by, seen red with. */
function readRows(page: string): Row[] {
  return page.split('\n').flatMap((text, index) => {
    const cells = text.split('|').map((cell) => cell.trim());
    const rule = cells[1] ?? '';
    if (cells.length < 6 || !new RegExp(`^(?:${RULE})$`).test(rule)) return [];
    const links = Array.from((cells[3] ?? '').matchAll(/\]\(([^)\s]+)\)/g), (match) => match[1] as string);
    const faults = Array.from((cells[4] ?? '').matchAll(/`([^`]+)`/g), (match) => match[1] as string);
    const files = links.map((link) => posix.normalize(posix.join(posix.dirname(PAGE), link)));
    return [{ rule, line: index + 1, files, faults }];
  });
}

/** The names of a file's tests as they are written, each `${…}` in them included. */
export function readTitles(text: string): string[] {
  const titles = text.matchAll(/^ *(?:test|describe)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gm);
  return Array.from(titles, (match) => (match[2] as string).replaceAll(/\\(['"`])/g, '$1'));
}

/** May a test with this written name be the one that is told? What is put in at run time may be anything. */
export function fits(title: string, told: string): boolean {
  const parts = title
    .split(/\$\{[^}]*\}/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return title.startsWith(told) || new RegExp(`^${parts.join('.*')}`).test(told);
}

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${String(index + 1).padStart(2, '0')}`);
}

/** The faults whose lines are not where their patch says any more. */
async function findMovedFaults(root: string, names: readonly string[]): Promise<string[]> {
  const waiting = [...names];
  const moved: string[] = [];
  const next = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const path = `${FAULTS}/${name}.patch`;
      const git = spawn('git', ['apply', '-C1', '--check', path], { cwd: root, stdio: 'ignore' });
      const code = await new Promise((done) => git.on('close', done));
      if (code !== 0)
        moved.push(`${path} security: does not apply. Make it anew from the lines as they are now.`);
    }
  };
  await Promise.all([next(), next()]);
  return moved.sort();
}

async function main(root: string): Promise<void> {
  const read = (path: string): [string, string] => [path, readFileSync(join(root, path), 'utf8')];
  const tests = new Map(listFiles(root, ['src', 'test', 'scripts', 'sdk'], ['.test.ts']).map(read));
  const patches = readdirSync(join(root, FAULTS)).filter((name) => name.endsWith('.patch'));
  const faults = new Map(
    patches.map((name) => [name.slice(0, -'.patch'.length), read(`${FAULTS}/${name}`)[1]]),
  );
  const breaches = [
    ...findSecurityBreaches(readFileSync(join(root, PAGE), 'utf8'), { tests, faults }),
    ...(await findMovedFaults(root, [...faults.keys()])),
  ];
  for (const breach of breaches) console.log(breach);
  console.log(`${faults.size} faults, ${breaches.length} breaches`);
  if (breaches.length > 0) process.exitCode = 1;
}

if (isMain(import.meta.filename)) await main(dirname(import.meta.dirname));
