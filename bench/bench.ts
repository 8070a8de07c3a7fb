import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import type { Effort } from './measure.ts';
import { help, readOptions, type Options, type Section } from './options.ts';
import { writeReport } from './report.ts';
import {
  measureProcesses,
  measureRates,
  measureStarts,
  measureUsers,
  type Ground,
  type Outcome,
} from './sections.ts';

const rateSections: readonly Section[] = ['session-check', 'refresh', 'sign-up', 'sign-in', 'sign-up-phone'];

/** Runs what was asked for on one fresh PostgreSQL and returns the report. Everything started is stopped. */
async function runBench(options: Options, effort: Effort): Promise<string> {
  const wanted = new Set(options.only);
  const outcomes: Outcome[] = [];
  await using stack = new AsyncDisposableStack();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'firstproof-bench-'));
  stack.defer(() => rm(dataDirectory, { recursive: true, force: true }));
  effort.progress('starting PostgreSQL');
  const server = await startEmbeddedPostgres({ dataDirectory, log: () => {} });
  const stopServer = stack.adopt(server, (running) => running.stop());
  const sql = postgres(stopServer.url('postgres'), { max: 1 });
  const [setting] = await sql<{ server_version: string }[]>`show server_version`;
  await sql.end();
  const ground: Ground = {
    effort,
    async makeDatabase(name) {
      await server.ensureDatabase(name);
      return server.url(name);
    },
  };
  if (rateSections.some((section) => wanted.has(section))) {
    outcomes.push(await measureRates(ground, wanted, options.sessions));
  }
  if (wanted.has('processes')) outcomes.push(await measureProcesses(ground, options.sessions));
  if (wanted.has('users') && options.users !== undefined)
    outcomes.push(await measureUsers(ground, options.users));
  if (wanted.has('start')) outcomes.push(await measureStarts(effort));
  const notMeasured =
    options.users === undefined && wanted.has('users')
      ? '\nSign-in by number of accounts: add --users 1000000.\n'
      : '';
  const report = writeReport(
    outcomes.flatMap(({ figures }) => figures),
    outcomes.flatMap(({ measurements }) => measurements),
    { ...effort, postgresVersion: setting?.server_version ?? 'unknown' },
  );
  return report + notMeasured;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(help);
    return 0;
  }
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  process.once('SIGTERM', () => interrupt.abort());
  const startedAt = performance.now();
  const effort: Effort = {
    rounds: options.rounds,
    seconds: options.seconds,
    warmUpSeconds: options.warmUp,
    connections: options.connections,
    signal: interrupt.signal,
    progress: (line) => {
      interrupt.signal.throwIfAborted();
      process.stderr.write(
        `[${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s] ${line}\n`,
      );
    },
  };
  try {
    const report = await runBench(options, effort);
    if (options.markdown === undefined) process.stdout.write(report);
    else await writeFile(options.markdown, report);
    return 0;
  } catch (error) {
    // Whatever broke after Ctrl-C broke because of it.
    if (!interrupt.signal.aborted) throw error;
    process.stderr.write('stopped\n');
    return 130;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(
    `${error instanceof Error ? `${error.message}\n${error.cause instanceof Error ? error.cause.message : ''}` : String(error)}\n`,
  );
  process.exitCode = 1;
}
