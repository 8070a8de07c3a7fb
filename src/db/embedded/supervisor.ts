import { setTimeout as sleep } from 'node:timers/promises';
import { findPostmaster, startPostmaster, stopPostmaster } from './postmaster.ts';
import type { Postmaster, PostmasterPlan } from './postmaster.ts';
import { startOfProcess } from './running-process.ts';

export type Log = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields?: Record<string, unknown>,
) => void;

/** Keeps one server running until it is told to stop. */
export interface Supervisor {
  pid(): number;
  stop(): Promise<void>;
}

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;
const WATCH_INTERVAL = 250;

/**
 * Starts the server, or takes over the one given as `running`, and starts it again on the same port and
 * socket, with growing pauses, whenever it ends unasked. Throws when the first start fails for good: old
 * backends of a killed server may hold its memory for a moment, so that start is tried for ten seconds.
 */
export async function superviseServer(
  plan: PostmasterPlan,
  running: Postmaster | undefined,
  log: Log,
): Promise<Supervisor> {
  let stopping = false;
  const awakened = new AbortController();
  let restarting: Promise<void> | undefined;
  let watch: NodeJS.Timeout | undefined;
  let current = running ?? (await startPatiently(plan, ended));
  if (running) watchAdopted(running);

  function watchAdopted({ pid }: Postmaster): void {
    const started = startOfProcess(pid);
    // Not our child, so its end is not told to us.
    watch = setInterval(() => {
      if (started !== undefined && startOfProcess(pid) === started) return;
      clearInterval(watch);
      ended();
    }, WATCH_INTERVAL).unref();
  }

  function ended(): void {
    if (stopping || restarting || !current) return;
    log('error', 'the embedded PostgreSQL ended unexpectedly and is started again', { pid: current.pid });
    restarting = restart().finally(() => {
      restarting = undefined;
    });
  }

  async function restart(): Promise<void> {
    for (let pause = FIRST_PAUSE; !stopping; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      await sleep(pause, undefined, { ref: false, signal: awakened.signal }).catch(() => {});
      if (stopping) return;
      try {
        let alive = true;
        const next = await startPostmaster(plan, () => {
          alive = false;
          // An end during the start is this loop's own business; a later one begins a new round.
          if (!restarting) ended();
        });
        current = next;
        log('warn', 'the embedded PostgreSQL runs again', { pid: next.pid, port: next.port });
        if (alive) return;
      } catch (error) {
        log('error', 'the embedded PostgreSQL could not be started again', { error: String(error) });
      }
    }
  }

  return {
    pid: () => current.pid,
    async stop() {
      stopping = true;
      awakened.abort();
      clearInterval(watch);
      await restarting;
      const last = findPostmaster(plan.cluster);
      await stopPostmaster(plan.binaries, plan.cluster, last?.pid ?? current.pid);
    },
  };
}

async function startPatiently(plan: PostmasterPlan, onExit: () => void): Promise<Postmaster> {
  for (let attempt = 1; ; attempt += 1) {
    let ready = false;
    try {
      const server = await startPostmaster(plan, () => {
        if (ready) onExit();
      });
      ready = true;
      return server;
    } catch (error) {
      if (attempt === 20 || !/pre-existing shared memory|lock file/.test(String(error))) throw error;
      // An owner killed in the middle of its start leaves a server that nobody could find a moment ago.
      const left = findPostmaster(plan.cluster);
      if (left) await stopPostmaster(plan.binaries, plan.cluster, left.pid);
      await sleep(attempt === 1 ? 50 : 500);
    }
  }
}
