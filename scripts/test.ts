/**
 * Runs the tests: `npm test`, `npm test -- signin race/` (only files whose path contains one of these words),
 * `npm test -- --test-name-pattern=resend` (options go to node's own test runner), `npm test -- --quick` (without the
 * files that start whole programs or kill them, and with fewer random lives: what `npm run check` runs).
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { listFiles } from './list-files.ts';

const root = dirname(import.meta.dirname);
/** Minutes on their own; `npm test` and continuous integration run them every time. */
const SLOW = [
  'test/cli/',
  'test/crash/kill',
  'test/crash/delivery-kill',
  'test/operations/outage',
  'test/crash/one-owner',
  'test/operations/rolling-restart',
];
const quick = process.argv.includes('--quick');
const options = process.argv
  .slice(2)
  .filter((argument) => argument.startsWith('-') && argument !== '--quick');
const words = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const files = listFiles(root, ['src', 'test', 'scripts', 'bench', 'sdk', 'console'], ['.test.ts']).filter(
  (path) =>
    (words.length === 0 || words.some((word) => path.includes(word))) &&
    !(quick && SLOW.some((slow) => path.includes(slow))),
);

if (files.length === 0) {
  console.error(`no test file matches: ${words.join(' ')}`);
  process.exit(1);
}

// Test files mostly wait for the database: node's own default, one fewer than the cores, would run one at a time on two.
const concurrency = Math.max(2, availableParallelism());
const runner = spawn(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${concurrency}`,
    '--test-timeout=120000',
    '--test-global-setup=test/global-setup.ts',
    ...(options.some((option) => option.startsWith('--test-reporter')) ? [] : ['--test-reporter=spec']),
    ...options,
    ...files,
  ],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      // Each file is a process that loads the whole server: compiled once, a third of that is saved.
      NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'tests'),
      ...(quick ? { FIRSTPROOF_MODEL_RUNS: '10' } : {}),
      ...process.env,
    },
  },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal));
runner.on('close', (code) => {
  process.exitCode = code ?? 1;
});
