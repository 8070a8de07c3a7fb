import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import postgres from 'postgres';
import { freePort } from '../free-port.ts';
import { testPostgres } from '../postgres-for-tests.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/firstproof.js');

export interface RunOptions {
  /** The working folder, where `.env` and `./data` are. */
  cwd: string;
  env?: Record<string, string>;
}

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Serving {
  /** Where it listens. */
  url: string;
  output: () => { stdout: string; stderr: string };
  /** Sends the signal and waits for the end. */
  stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<Ran>;
}

// A test that fails half-way must not leave its server behind: the run would wait for it.
const running = new Map<ChildProcess, Promise<Ran>>();
after(async () => {
  for (const child of running.keys()) child.kill('SIGTERM');
  await Promise.all(running.values());
});

/** An empty folder of its own, which PostgreSQL's own user may pass through. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'firstproof-cli-'));
  chmodSync(folder, 0o755);
  return folder;
}

/** Runs `firstproof …` to its end as people do: the real program, with nothing but these settings. */
export function runCli(words: readonly string[], options: RunOptions): Promise<Ran> {
  return start(words, options).ended;
}

/** Starts `firstproof serve` on a free port and waits until it is ready. Fails with its output when it ends before. */
export async function startServe(words: readonly string[], options: RunOptions): Promise<Serving> {
  const port = await freePort();
  const env = {
    HOST: '127.0.0.1',
    PORT: String(port),
    // A machine that is busy with other tests refuses nobody.
    FIRSTPROOF_LONGEST_QUEUE_MILLISECONDS: '60000',
    ...options.env,
  };
  const { child, ended, output } = start(['serve', ...words], { ...options, env });
  const url = `http://127.0.0.1:${port}`;
  for (let waited = 0; waited < 20_000; waited += 25) {
    if (child.exitCode !== null) throw new Error(`serve ended: ${JSON.stringify(await ended)}`);
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (answer?.ok) break;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return {
    url,
    output,
    stop: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

function start(
  words: readonly string[],
  { cwd, env }: RunOptions,
): { child: ChildProcess; ended: Promise<Ran>; output: () => { stdout: string; stderr: string } } {
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ran>((resolve) => {
    child.once('close', (code) => {
      running.delete(child);
      resolve({ code, stdout, stderr });
    });
  });
  running.set(child, ended);
  return { child, ended, output: () => ({ stdout, stderr }) };
}

/** A database without any table on the PostgreSQL for tests, as an operator would make one. */
export async function createEmptyDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const server = testPostgres();
  const name = `cli_${process.pid}_${Math.trunc(performance.now() * 1000)}`;
  const administer = async (statement: string): Promise<void> => {
    const sql = postgres({ ...server, database: 'postgres', max: 1, onnotice: () => {} });
    await sql.unsafe(statement);
    await sql.end();
  };
  await administer(`create database ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(`drop database if exists ${name} with (force)`) };
}
