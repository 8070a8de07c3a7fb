import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type postgres from 'postgres';
import { connectPostgres } from '../../src/db/driver.ts';
import { connectToRunningEmbedded } from '../../src/db/embedded/connect-to-running.ts';
import { makeFolder, type Serving, startServe } from '../cli/run-cli.ts';
import { findDamage, findLosses, goOn } from './check.ts';
import { type History, newHistory } from './history.ts';
import { startLoad, untilServing } from './load.ts';
import { killPostgres } from './processes.ts';

const SECRET = 'Zt7Qm2xVbN5kLp8RwYc4Jd9sHf6gAe3UuXi1OoPq';
const DATABASES = { control: 'firstproof', us: 'firstproof_us', uz: 'firstproof_uz' };

/** What is killed: the server, its PostgreSQL with every child, or both at the same moment. */
const VICTIMS = ['server', 'both', 'postgres'] as const;
type Victim = (typeof VICTIMS)[number];

export interface RoundsOptions {
  rounds: number;
  /** A round lasts until about so many operations are acknowledged. */
  acknowledgedEachRound: number;
  concurrency: number;
  tell?: (line: string) => void;
}

export interface Report extends History {
  losses: string[];
  seconds: number;
}

/**
 * Runs the real server on its embedded PostgreSQL under load, kills it at a random moment, starts it again on the same
 * folder, and compares what was acknowledged with what is there; so many times on one folder.
 */
export async function runRounds(options: RoundsOptions): Promise<Report> {
  const startedAt = performance.now();
  const cwd = makeFolder();
  const report: Report = { ...newHistory(), losses: [], seconds: 0 };
  let server: Serving | undefined;
  try {
    server = await startOn(cwd);
    for (let round = 0; round < options.rounds; round++) {
      const victim = VICTIMS[round % VICTIMS.length] as Victim;
      const before = report.acknowledged;
      const load = startLoad(server.url, report, options.concurrency);
      const target = before + options.acknowledgedEachRound * (0.5 + Math.random());
      const tooLong = performance.now() + 30_000;
      while (report.acknowledged < target && performance.now() < tooLong) await wait(1);
      await wait(Math.random() * 5);
      if (victim !== 'server') killPostgres(connectToRunningEmbedded(join(cwd, 'data'))?.pid ?? -1);
      if (victim !== 'postgres') await server.stop('SIGKILL');
      const lives = await load.stop();
      if (victim !== 'postgres') server = await startOn(cwd);
      report.losses.push(...(await checkAll(cwd, server, report, lives)));
      options.tell?.(
        `round ${round + 1}, killed: ${victim}, ${report.acknowledged - before} acknowledged, ` +
          `${report.losses.length} lost, ${report.wrong.length} wrong`,
      );
      if (report.losses.length + report.wrong.length > 0) break;
    }
    const { code, stderr } = await server.stop('SIGTERM');
    if (code !== 0) report.wrong.push(`the last stop ended with ${code}: ${stderr}`);
    server = undefined;
  } finally {
    await server?.stop('SIGTERM');
    rmSync(cwd, { recursive: true, force: true });
  }
  report.seconds = Math.round((performance.now() - startedAt) / 1000);
  return report;
}

/** Starts the real server on the folder's `data`, as `npm start` does. */
export function startOn(cwd: string): Promise<Serving> {
  return startServe(['--development'], {
    cwd,
    env: {
      FIRSTPROOF_BUDGETS: 'relaxed',
      FIRSTPROOF_TRUSTED_PROXIES: '127.0.0.1/32',
      FIRSTPROOF_SECRET: SECRET,
      // Each start takes another port, and tokens name where they come from.
      FIRSTPROOF_PUBLIC_URL: 'http://localhost:3000',
    },
  });
}

/** Everything that was ever acknowledged on this folder, against what is there; and `lives` go on living. */
export async function checkAll(
  cwd: string,
  server: Serving,
  report: History,
  lives: History['lives'],
): Promise<string[]> {
  const databases = await connectAll(cwd);
  try {
    await untilServing(server.url);
    const lost = await findLosses(databases, report.lives);
    const wrong = await goOn(server.url, databases, SECRET, lives);
    // A verification that was left open has been used by now.
    for (const life of lives) if (life.verify !== 'ok') life.verificationId = undefined;
    return [...lost, ...wrong, ...(await findDamage(databases))];
  } finally {
    await Promise.all([...databases.values()].map((sql) => sql.end({ timeout: 1 })));
  }
}

/** Connections of our own, once the database accepts them again. */
async function connectAll(cwd: string): Promise<Map<string, postgres.Sql>> {
  for (let tries = 0; ; tries++) {
    const running = connectToRunningEmbedded(join(cwd, 'data'));
    if (running) {
      const open = Object.entries(DATABASES).map(
        ([market, name]) =>
          [market, connectPostgres({ ...running.connection(name), max: 1, onnotice: () => {} })] as const,
      );
      const databases = new Map<string, postgres.Sql>(open);
      const answers = await Promise.allSettled([...databases.values()].map((sql) => sql`select 1`));
      if (answers.every((answer) => answer.status === 'fulfilled')) return databases;
      await Promise.all([...databases.values()].map((sql) => sql.end({ timeout: 0 })));
    }
    if (tries > 400) throw new Error('the database never came back');
    await wait(25);
  }
}
