import { linkSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readIfPresent, writeDurably } from './files.ts';
import { processSpace, startOfProcess, UNKNOWN_START } from './running-process.ts';

interface Owner {
  pid: number;
  started: string;
  space: string;
}

export type OwnerLock = { ok: true; release(): void } | { ok: false; pid: number };

const PREFIX = 'postgres-owner.';
const HEARTBEAT = 1_000;

/**
 * Makes this process the one owner of a directory, or tells who owns it.
 *
 * Node has no flock(), so the lock is a row of numbered files of which the highest counts. To take over
 * from a dead owner is to link the next number, which exactly one process can do, and nobody ever removes
 * or reuses a number that may still be the highest: the classic "both saw it stale, the second deleted the
 * first one's new lock" cannot happen. An owner lives while its pid runs with the same start time; one
 * written in another container or on another machine lives while its file's time moves.
 */
export async function acquireOwnerLock(directory: string): Promise<OwnerLock> {
  for (;;) {
    const highest = highestNumber(directory);
    const text = highest === 0 ? undefined : readIfPresent(fileOf(directory, highest));
    if (highest !== 0 && text === undefined) continue;
    const owner = text ? (JSON.parse(text) as Owner | null) : null;
    if (owner && (await isAlive(owner, fileOf(directory, highest)))) return { ok: false, pid: owner.pid };
    const lock = take(directory, highest + 1);
    if (lock) return lock;
  }
}

function take(directory: string, number: number): OwnerLock | undefined {
  const file = fileOf(directory, number);
  const mine: Owner = {
    pid: process.pid,
    started: startOfProcess(process.pid) ?? UNKNOWN_START,
    space: processSpace(),
  };
  const draft = path.join(directory, `postgres-owner-draft-${randomBytes(6).toString('hex')}`);
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o644, flag: 'wx' });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  // A starter that slept may link a number that was already passed and tidied away: it has not won.
  if (highestNumber(directory) !== number) {
    rmSync(file, { force: true });
    return undefined;
  }
  for (const lower of numbers(directory)) {
    if (lower < number) rmSync(fileOf(directory, lower), { force: true });
  }
  const heartbeat = setInterval(() => touch(file), HEARTBEAT).unref();
  return {
    ok: true,
    release() {
      clearInterval(heartbeat);
      // Emptied, not removed: the number must keep growing.
      if (highestNumber(directory) === number) writeDurably(file, 'null', 0o644);
    },
  };
}

async function isAlive(owner: Owner, file: string): Promise<boolean> {
  if (owner.space === processSpace()) {
    const started = startOfProcess(owner.pid);
    return started !== undefined && (started === owner.started || started === UNKNOWN_START);
  }
  const before = modified(file);
  // The usual case after the machine itself went down.
  if (Date.now() - before > 10 * HEARTBEAT) return false;
  for (let waited = 0; waited < 3 * HEARTBEAT; waited += 100) {
    await sleep(100);
    if (modified(file) !== before) return true;
  }
  return false;
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function touch(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // The folder was removed under a running server: there is nothing left to own.
  }
}

function numbers(directory: string): number[] {
  return readdirSync(directory)
    .filter((name) => /^postgres-owner\.\d+$/.test(name))
    .map((name) => Number(name.slice(PREFIX.length)));
}

function highestNumber(directory: string): number {
  return Math.max(0, ...numbers(directory));
}

function fileOf(directory: string, number: number): string {
  return path.join(directory, `${PREFIX}${number}`);
}
