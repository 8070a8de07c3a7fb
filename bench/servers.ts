import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ProductName } from './products.ts';

/** A server process under test. */
/** As `npm start` and `npx firstproof` run it. */
const HEAP_FLAGS = ['--max-old-space-size=1024', '--max-semi-space-size=8'];

export interface RunningServer {
  readonly product: ProductName;
  readonly port: number;
  readonly pid: number;
  /** Stops the process and removes its temporary folder. May be called twice. */
  stop(): Promise<void>;
}

/** Made once a run: two processes on one database must agree on it. */
const secret = randomBytes(48).toString('base64url');
const root = fileURLToPath(new URL('..', import.meta.url));

/** A port that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Resolves once `url` answers 200; throws when the process ended first or `longestWait` ms went by. */
export async function waitUntilReady(child: ChildProcess, url: string, longestWait = 60_000): Promise<void> {
  const deadline = performance.now() + longestWait;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ended before ${url} answered`);
    const status = await fetch(url).then(
      async (response) => (await response.text(), response.status),
      () => 0,
    );
    if (status === 200) return;
    await sleep(5);
  }
  throw new Error(`${url} did not answer within ${longestWait / 1000} s`);
}

/** Asks a process to end, waits up to 10 s, then kills it. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const killTimer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(killTimer);
}

async function startServer(
  product: ProductName,
  script: readonly string[],
  readyPath: string,
  environment: Record<string, string>,
): Promise<RunningServer> {
  const port = await findFreePort();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'firstproof-bench-'));
  const child = spawn(process.execPath, script, {
    cwd: root,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      PORT: String(port),
      FIRSTPROOF_DATA_DIR: dataDirectory,
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let lastWords = '';
  child.stderr.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-2_000);
  });
  const stop = async (): Promise<void> => {
    await stopProcess(child);
    await rm(dataDirectory, { recursive: true, force: true });
  };
  try {
    await waitUntilReady(child, `http://127.0.0.1:${port}${readyPath}`);
  } catch (error) {
    await stop();
    throw new Error(`${product} did not start: ${lastWords}`, { cause: error });
  }
  return { product, port, pid: child.pid as number, stop };
}

/**
 * Firstproof as `npm start` runs it, budgets relaxed, on a database of the shared PostgreSQL.
 * @param more settings of the environment beside those
 */
export function startFirstproof(
  databaseUrl: string,
  more: Record<string, string> = {},
): Promise<RunningServer> {
  return startServer(
    'firstproof',
    [...HEAP_FLAGS, 'bin/firstproof.js', 'serve', '--development'],
    '/health/ready',
    {
      DATABASE_URL: databaseUrl,
      FIRSTPROOF_BUDGETS: 'relaxed',
      FIRSTPROOF_TRUSTED_PROXIES: '127.0.0.1/32',
      FIRSTPROOF_SECRET: secret,
      // The issuer of every token: processes that share the load share their address too.
      FIRSTPROOF_PUBLIC_URL: 'http://127.0.0.1:3000',
      ...more,
    },
  );
}

/** Runs a command of Firstproof's own on that database, as its operator would. Throws what it says when it fails. */
export async function runFirstproof(databaseUrl: string, words: readonly string[]): Promise<void> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'firstproof-bench-'));
  try {
    await promisify(execFile)(process.execPath, ['bin/firstproof.js', ...words], {
      cwd: root,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '',
        FIRSTPROOF_MODE: 'development',
        FIRSTPROOF_DATA_DIR: dataDirectory,
        FIRSTPROOF_SECRET: secret,
        DATABASE_URL: databaseUrl,
      },
    });
  } finally {
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

/** Better Auth on the shared PostgreSQL; `fastest`: session cookie cache on, limits in memory. */
export function startBetterAuth(
  databaseUrl: string,
  variant: 'usual' | 'fastest' = 'usual',
): Promise<RunningServer> {
  return startServer('better-auth', ['bench/better-auth-server.ts'], '/health/ready', {
    NODE_ENV: 'production',
    DATABASE_URL: databaseUrl,
    BENCH_VARIANT: variant,
  });
}

/** The bare route. */
export function startHello(): Promise<RunningServer> {
  return startServer('hello', ['bench/hello.ts'], '/hello', { NODE_ENV: 'production' });
}
