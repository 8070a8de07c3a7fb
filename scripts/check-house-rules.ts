/**
 * Holds the habits that a linter cannot: where time, chance, the environment and the console may be touched.
 * Run: node scripts/check-house-rules.ts
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMain } from './is-main.ts';
import { listFiles } from './list-files.ts';
import { lineOf, maskSource } from './source-text.ts';

type HouseRule = {
  readonly name: string;
  /** Searched in the source with comments and strings blanked. */
  readonly pattern: RegExp;
  /** Whether the rule holds in this file (path from the root). */
  readonly holdsIn: (path: string) => boolean;
  readonly advice: string;
};

const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.startsWith('test/');
const isSource = (path: string): boolean => path.startsWith('src/');
// It works beside other processes: it dates lock files by the machine's clock, and gives its child a clean environment.
const isProcessCare = (path: string): boolean => path.startsWith('src/db/embedded/');
const isServerCode = (path: string): boolean =>
  isSource(path) && !isTest(path) && !path.startsWith('src/cli/');

const RULES: readonly HouseRule[] = [
  {
    name: 'random',
    pattern: /\bMath\s*(?:\?\.|\.)\s*random\b|\bMath\s*\[|=\s*Math\b(?!\s*[.?[(])/g,
    holdsIn: isSource,
    advice: 'Math.random can be guessed. Take the random source of kernel/ as an argument.',
  },
  {
    name: 'clock',
    pattern:
      /\bDate\s*\.\s*now\b|\bnew\s+Date\b(?!\s*\(\s*[^\s)])|(?<!\bnew\s+)(?<![\w$.])Date\s*\(|=\s*Date\b(?!\s*[.([])/g,
    holdsIn: (path) => isServerCode(path) && path !== 'src/kernel/clock.ts' && !isProcessCare(path),
    advice: 'A direct read of the time cannot be tested. Take the clock as an argument, or now() in SQL.',
  },
  {
    name: 'environment',
    pattern:
      /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[|=\s*process\b(?!\s*[.?[(])|\bimport\s*\{[^}]*\benv\b[^}]*\}\s*from/g,
    holdsIn: (path) => isServerCode(path) && !path.startsWith('src/config/') && !isProcessCare(path),
    advice: 'Only config/ reads the environment. Add a setting to its schema and take it as an argument.',
  },
  {
    name: 'console',
    pattern: /(?<![\w$.])console\s*(?:\?\.|\.|\[)/g,
    holdsIn: isServerCode,
    advice: 'The log has allow-listed fields, the console has none. Take the logger as an argument.',
  },
  {
    name: 'skipped test',
    pattern:
      /(?<![\w$])(?:test|it|describe|suite|t|context)\s*\.\s*(?:skip|only|todo)\b|[{,]\s*(?:skip|only|todo)\s*:/g,
    // Only what is held against another's description, kept beside the project, may be missing it.
    holdsIn: (path) => path.endsWith('.test.ts') && !path.endsWith('-contract.test.ts'),
    advice: 'A test that does not run holds nothing. Mend it or take it out.',
  },
];

/** Every breach of a house rule in one file, each as `file:line rule: advice`. */
export function findBreaches(path: string, text: string): string[] {
  const rules = RULES.filter((rule) => rule.holdsIn(path));
  const masked = rules.length === 0 ? '' : maskSource(text);
  return rules.flatMap((rule) =>
    Array.from(
      masked.matchAll(rule.pattern),
      (match) => `${path}:${lineOf(text, match.index)} ${rule.name}: ${rule.advice}`,
    ),
  );
}

function main(root: string): void {
  const paths = listFiles(root, ['src', 'test', 'scripts', 'bench'], ['.ts']);
  const breaches = paths.flatMap((path) => findBreaches(path, readFileSync(join(root, path), 'utf8')));
  for (const breach of breaches) console.log(breach);
  console.log(`${paths.length} files, ${breaches.length} breaches`);
  if (breaches.length > 0) process.exitCode = 1;
}

if (isMain(import.meta.filename)) main(dirname(import.meta.dirname));
