import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findFreePort, waitUntilReady } from './servers.ts';
import { median } from './statistics.ts';

/** Seconds from the command to the first answered request; medians over the rounds. */
export interface StartTimes {
  readonly firstBoot: number;
  readonly after: number;
}

const root = fileURLToPath(new URL('..', import.meta.url));

async function timeOneStart(dataDirectory: string): Promise<number> {
  const port = await findFreePort();
  const startedAt = performance.now();
  // A process group of its own: npm, the server and the embedded PostgreSQL are ended together.
  const child = spawn('npm', ['start'], {
    cwd: root,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      PORT: String(port),
      FIRSTPROOF_DATA_DIR: dataDirectory,
    },
    stdio: 'ignore',
    detached: true,
  });
  try {
    await waitUntilReady(child, `http://127.0.0.1:${port}/health/ready`);
    return (performance.now() - startedAt) / 1000;
  } finally {
    if (child.pid !== undefined) await endGroup(child.pid);
  }
}

/** Ends a process group and waits for its last process: npm may be gone before the server has stopped. */
async function endGroup(leader: number): Promise<void> {
  const signal = (name: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(-leader, name);
    } catch {
      return false;
    }
  };
  signal('SIGTERM');
  for (const deadline = performance.now() + 10_000; signal(0); await sleep(20)) {
    if (performance.now() > deadline) signal('SIGKILL');
  }
}

/** Times `npm start` on a fresh data folder (initdb included) and again on the same, `rounds` times. */
export async function measureStart(rounds: number, progress: (line: string) => void): Promise<StartTimes> {
  const firstBoots: number[] = [];
  const laterBoots: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'firstproof-bench-start-'));
    try {
      firstBoots.push(await timeOneStart(dataDirectory));
      laterBoots.push(await timeOneStart(dataDirectory));
    } finally {
      await rm(dataDirectory, { recursive: true, force: true });
    }
    const last = [firstBoots, laterBoots].map((boots) => `${boots.at(-1)?.toFixed(2)} s`).join(', then ');
    progress(`start round ${round}/${rounds}: ${last}`);
  }
  return { firstBoot: median(firstBoots), after: median(laterBoots) };
}
