#!/usr/bin/env -S node --max-old-space-size=1024 --max-semi-space-size=8
// Starts src/cli/firstproof.ts on Node.js 24 or later, whichever Node.js (18 or later) runs this file. The flags above
// keep the heap small: without a limit V8 lets garbage of requests pile up in proportion to the machine's memory.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NEEDED_MAJOR = 24;
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const program = join(root, 'src', 'cli', 'firstproof.ts');

/** @param {string} version */
function isNewEnough(version) {
  return Number.parseInt(version.replace(/^v/, ''), 10) >= NEEDED_MAJOR;
}

/** The Node.js that the install brought, newest way of finding it first; undefined when there is none. */
function findInstalledNode() {
  const require = createRequire(import.meta.url);
  const isWindows = process.platform === 'win32';
  const platform = isWindows ? 'win' : process.platform;
  const executable = isWindows ? 'node.exe' : 'node';
  const candidates = [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`].flatMap(
    (name) => {
      try {
        return [join(dirname(require.resolve(`${name}/package.json`)), 'bin', executable)];
      } catch {
        return [];
      }
    },
  );
  if (!isWindows) candidates.unshift(join(root, 'node_modules', '.bin', 'node'));
  return candidates.find((path) => {
    if (!existsSync(path)) return false;
    const asked = spawnSync(path, ['--version'], { encoding: 'utf8' });
    return asked.status === 0 && isNewEnough(asked.stdout);
  });
}

/** @param {string} node */
function runWith(node) {
  const child = spawn(node, [...process.execArgv, program, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of FORWARDED_SIGNALS) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole group: the child has it already, and a second one would cut its farewell short.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`firstproof: cannot start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}

if (isNewEnough(process.version)) {
  process.argv[1] = program;
  // Compiled once, not at every start. Beside the packages, where only who may change them may write; never a shared /tmp.
  nodeModule.enableCompileCache?.(join(root, 'node_modules', '.cache', 'firstproof'));
  await import(pathToFileURL(program).href);
} else {
  const node = findInstalledNode();
  if (node) runWith(node);
  else {
    process.stderr.write(
      `firstproof: needs Node.js ${NEEDED_MAJOR} or later, this is ${process.version}.\n` +
        `Run "npm install" in ${root} (without --omit=optional: it brings Node.js ${NEEDED_MAJOR} along),\n` +
        `or install Node.js ${NEEDED_MAJOR} from https://nodejs.org and start again.\n`,
    );
    process.exitCode = 1;
  }
}
