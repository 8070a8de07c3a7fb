/**
 * Shows that the tests can fail: puts known faults into a copy of the source, one at a time, and demands that the
 * tests named after the broken rule turn red. Each fault is a patch in test/seeded-faults/, `<rule>-<fault>.patch`:
 * what is broken in a sentence, optionally `Shown by: <a test's name, or its beginning>` (then only that test runs, not
 * all of the rule), an empty line, the difference.
 *
 * Run: node scripts/seed-faults.ts            all of them, some minutes
 *      node scripts/seed-faults.ts S07 S14    those of some rules, or single ones by their whole name
 *      ... --from S14                         the later part of a run that was broken off
 *      ... --name-tests                       writes `Shown by:` into the patches that have none and turned red
 */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { globalSetup, globalTeardown } from '../test/global-setup.ts';
import { fits, readTitles } from './check-security.ts';
import { listFiles } from './list-files.ts';

const root = dirname(import.meta.dirname);
const FAULTS = join(root, 'test', 'seeded-faults');
const COPIED = ['src', 'sdk', 'test', 'scripts', 'migrations', 'bin', 'package.json', 'tsconfig.json'];
const TIMEOUT_MILLISECONDS = 400_000;

/** `red` is what is wanted. `broken`: something failed, but no test of the rule by its own assertion. */
type Verdict = 'red' | 'GREEN' | 'BROKEN' | 'DOES NOT APPLY' | 'NO TESTS' | 'RED WITHOUT IT';

interface Result {
  fault: string;
  verdict: Verdict;
  seconds: number;
  /** The first test that turned red, or the last lines of what went wrong. */
  shownBy: string;
}

async function main(words: readonly string[]): Promise<void> {
  const fromIndex = words.indexOf('--from');
  const from = fromIndex < 0 ? '' : (words[fromIndex + 1] ?? '');
  const wanted = words.filter(
    (word, index) => !word.startsWith('--') && (fromIndex < 0 || index !== fromIndex + 1),
  );
  const faults = readdirSync(FAULTS)
    .filter((name) => name.endsWith('.patch'))
    .map((name) => name.slice(0, -'.patch'.length))
    .filter((name) => wanted.length === 0 || wanted.some((word) => name === word || ruleOf(name) === word))
    .filter((name) => name >= from)
    .sort();
  if (faults.length === 0) {
    console.error(`no fault matches: ${wanted.join(' ')}`);
    process.exitCode = 1;
    return;
  }
  // One copy for the whole run, so that an edit made meanwhile changes nothing.
  const original = mkdtempSync(join(tmpdir(), 'firstproof-original-'));
  const results: Result[] = [];
  await globalSetup();
  try {
    for (const name of COPIED) cpSync(join(root, name), join(original, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(original, 'node_modules'), 'dir');
    const sound = new Map<string, boolean>();
    for (const fault of faults) {
      const result = await seed(fault, original);
      // A test that fails anyway shows nothing.
      if (result.verdict === 'red' && !(await isSound(result.shownBy, original, sound))) {
        result.verdict = 'RED WITHOUT IT';
      }
      results.push(result);
      if (words.includes('--name-tests') && result.verdict === 'red') nameTest(fault, result.shownBy);
      console.log(`${result.verdict.padEnd(14)} ${fault} (${result.seconds} s)`);
    }
  } finally {
    await globalTeardown();
    rmSync(original, { recursive: true, force: true });
  }
  console.log(`\n| fault | verdict | shown by |\n|---|---|---|`);
  for (const { fault, verdict, shownBy } of results) console.log(`| ${fault} | ${verdict} | ${shownBy} |`);
  const missed = results.filter(({ verdict }) => verdict !== 'red');
  console.log(`\n${results.length} faults, ${results.length - missed.length} red`);
  if (missed.length > 0) process.exitCode = 1;
}

function ruleOf(fault: string): string {
  return fault.slice(0, fault.indexOf('-'));
}

/** The beginning of the names of the tests that show a fault: what its patch says, or all of its rule. */
function testsOf(fault: string): string {
  const shownBy = /^Shown by: (.+)$/m.exec(readFileSync(join(FAULTS, `${fault}.patch`), 'utf8'))?.[1];
  return shownBy ?? `${ruleOf(fault)} `;
}

function nameTest(fault: string, test: string): void {
  const path = join(FAULTS, `${fault}.patch`);
  const text = readFileSync(path, 'utf8');
  if (/^Shown by: /m.test(text)) return;
  const [sentence, ...rest] = text.split('\n');
  writeFileSync(path, [sentence, `Shown by: ${test}`, ...rest].join('\n'));
}

async function isSound(test: string, original: string, known: Map<string, boolean>): Promise<boolean> {
  const sound = known.get(test) ?? (await runTests(test, original)).code === 0;
  known.set(test, sound);
  return sound;
}

async function seed(fault: string, original: string): Promise<Result> {
  const startedAt = performance.now();
  const copy = mkdtempSync(join(tmpdir(), 'firstproof-fault-'));
  try {
    cpSync(original, copy, { recursive: true, verbatimSymlinks: true });
    const { verdict, shownBy } = await judge(fault, copy);
    return { fault, verdict, shownBy, seconds: Math.round((performance.now() - startedAt) / 1000) };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function judge(fault: string, copy: string): Promise<Pick<Result, 'verdict' | 'shownBy'>> {
  const patch = join(FAULTS, `${fault}.patch`);
  const applied = spawnSync('git', ['apply', '-C1', patch], { cwd: copy, encoding: 'utf8' });
  if (applied.status !== 0) return { verdict: 'DOES NOT APPLY', shownBy: lastLines(applied.stderr) };

  const rule = ruleOf(fault);
  const tests = testsOf(fault);
  const { code, output } = await runTests(tests, copy);
  if (code === undefined) return { verdict: 'NO TESTS', shownBy: `no test is named ${tests}` };
  if (code === 0) return { verdict: 'GREEN', shownBy: '' };
  const first = firstRed(output, rule);
  // A copy that does not even start fails too, and shows nothing.
  return first === undefined
    ? { verdict: 'BROKEN', shownBy: lastLines(output) }
    : { verdict: 'red', shownBy: first };
}

/** Runs the tests whose names begin so; `code` is undefined where there are none. */
async function runTests(
  names: string,
  copy: string,
): Promise<{ code: number | null | undefined; output: string }> {
  const begins = escapeForPattern(names);
  const rule = names.split(' ')[0] as string;
  // Only files that have such a test: hooks of others would run for nothing.
  const chosen = listFiles(copy, ['src', 'test', 'scripts'], ['.test.ts']).filter((path) =>
    readTitles(readFileSync(join(copy, path), 'utf8')).some((title) => fits(title, names)),
  );
  if (chosen.length === 0) return { code: undefined, output: '' };
  const options = [`--test-name-pattern=^${begins}`, '--test-reporter=tap', ...chosen];
  return run(copy, options, (output) => firstRed(output, rule) !== undefined);
}

/** The first test of a rule that failed by its own assertion, in what the TAP reporter wrote so far. */
function firstRed(output: string, rule: string): string | undefined {
  const failed = output.matchAll(/^ *not ok \d+ - (.+)\n +---\n([^]*?)\n +\.\.\.$/gm);
  for (const [, name = '', details = ''] of failed) {
    // A random life that failed tells of its assertion only within.
    if (name.startsWith(`${rule} `) && /ERR_ASSERTION|Property failed/.test(details)) {
      return name.replaceAll(/\\([\\#])/g, '$1');
    }
  }
  return undefined;
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** @param isEnough what was written so far tells all there is to know: the rest is not waited for */
function run(
  copy: string,
  options: readonly string[],
  isEnough: (output: string) => boolean,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [resolve(copy, 'scripts', 'test.ts'), ...options], {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (isEnough(Buffer.concat(chunks).toString())) child.kill('SIGTERM');
    });
  }
  const timer = setTimeout(() => child.kill('SIGTERM'), TIMEOUT_MILLISECONDS);
  return new Promise((done) => {
    child.on('close', (code) => {
      clearTimeout(timer);
      done({ code: code ?? 1, output: Buffer.concat(chunks).toString() });
    });
  });
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ').replaceAll('|', '\\|');
}

await main(process.argv.slice(2));
