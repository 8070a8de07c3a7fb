/**
 * Everything that must hold before a change is merged: `npm run check`.
 * `--no-tests` leaves the tests out; words select steps by name (`npm run check -- types lint`).
 */
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';

type Step = { readonly name: string; readonly command: readonly string[] };

const root = dirname(import.meta.dirname);
const script = (name: string): string[] => [`scripts/${name}.ts`];

// The launchers of the tools, run by this very Node: no shell and no PATH to differ between machines.
const STATIC_STEPS: readonly Step[] = [
  { name: 'types', command: ['node_modules/typescript/bin/tsc', '--noEmit'] },
  // Code for browsers alone sees another world than the server's.
  { name: 'types of the client', command: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'sdk'] },
  { name: 'lint', command: ['node_modules/oxlint/bin/oxlint', '--type-aware'] },
  { name: 'unused', command: ['node_modules/knip/bin/knip.js', '--no-progress'] },
  { name: 'openapi', command: script('check-openapi') },
  { name: 'format', command: ['node_modules/@biomejs/biome/bin/biome', 'format'] },
  { name: 'layers', command: script('check-layers') },
  { name: 'house rules', command: script('check-house-rules') },
  { name: 'docs', command: script('check-docs') },
  { name: 'security', command: script('check-security') },
  { name: 'lockfile', command: script('check-lockfile') },
  { name: 'bill of materials', command: script('bill-of-materials') },
  { name: 'weaknesses', command: script('check-weaknesses') },
];
// After the others and alone: races and timings are measured there.
const TEST_STEP: Step = { name: 'tests', command: [...script('test'), '--quick'] };

/** Runs one step and prints its line; a failed step's whole output follows. True when it passed. */
async function run({ name, command }: Step): Promise<boolean> {
  const started = performance.now();
  const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const passed = await new Promise<boolean>((resolve) => {
    child.on('error', (error) => {
      output.push(Buffer.from(error.message));
      resolve(false);
    });
    child.on('close', (code) => resolve(code === 0));
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
  const text = Buffer.concat(output).toString().trim();
  const summary =
    name === TEST_STEP.name
      ? text.split('\n').filter((line) => /^ℹ (?:tests|pass|fail|skipped) /.test(line))
      : [];
  console.log(
    `${passed ? 'ok    ' : 'FAILED'} ${seconds} s  ${name}  ${summary.join(', ').replaceAll('ℹ ', '')}`.trimEnd(),
  );
  if (!passed) console.log(`${text.replace(/^/gm, '  | ')}\n`);
  return passed;
}

/** Runs steps, at most `width` at a time. The names of those that failed. */
async function runAll(steps: readonly Step[], width: number): Promise<string[]> {
  const waiting = [...steps];
  const failed: string[] = [];
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step; step = waiting.shift())
      if (!(await run(step))) failed.push(step.name);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return failed;
}

const started = performance.now();
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const words = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const steps = [...STATIC_STEPS, ...(flags.includes('--no-tests') ? [] : [TEST_STEP])];
const unknown = [
  ...flags.filter((flag) => flag !== '--no-tests'),
  ...words.filter((word) => !steps.some((step) => step.name === word)),
];
if (unknown.length > 0) {
  console.error(
    `unknown: ${unknown.join(', ')}. Steps: ${steps.map((step) => step.name).join(', ')}; --no-tests`,
  );
  process.exit(1);
}
const chosen = words.length === 0 ? steps : steps.filter((step) => words.includes(step.name));
const failed = await runAll(
  chosen.filter((step) => step !== TEST_STEP),
  2,
);
if (chosen.includes(TEST_STEP)) failed.push(...(await runAll([TEST_STEP], 1)));
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  failed.length === 0
    ? `all ${chosen.length} steps passed in ${seconds} s`
    : `failed in ${seconds} s: ${failed.join(', ')}`,
);
if (failed.length > 0) process.exitCode = 1;
