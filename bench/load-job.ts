import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Credential, ProductName } from './products.ts';

/** What a virtual user does again and again. `enrol` runs once per account and hands credentials back. */
export type Scenario = 'enrol' | 'sign-up' | 'sign-up-phone' | 'sign-in' | 'session-check' | 'refresh';

/** One run of the load program. */
export interface LoadJob {
  readonly product: ProductName;
  /** Connections are spread over these ports in turn. */
  readonly ports: readonly number[];
  readonly scenario: Scenario;
  readonly seconds: number;
  readonly connections: number;
  /** Distinguishes this run's new addresses and client addresses from those of every other run. */
  readonly run: number;
  /** How many accounts `returning-0…` exist (sign-in) or are to be enrolled (enrol). */
  readonly population: number;
  readonly credentials: readonly Credential[];
  /** By what returning accounts sign in; left out: by e-mail. */
  readonly by?: 'email' | 'phone';
  /** Header lines of every send and proof; `{unique}` becomes a new UUID in each. */
  readonly headerLines?: readonly string[];
}

/** What one run measured. Latencies in milliseconds, over right answers only. */
export interface LoadReport {
  readonly flows: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
  readonly firstError: string | null;
  readonly credentials: readonly Credential[];
}

/**
 * Runs one job in a process of its own, so that the client's work never delays the event loop it measures.
 * Rejects when the load process dies; wrong answers of the server are counted in the report.
 */
export function runLoad(job: LoadJob, signal?: AbortSignal): Promise<LoadReport> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('load.ts', import.meta.url)), [], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      ...(signal === undefined ? {} : { signal }),
    });
    let report: LoadReport | undefined;
    child.on('message', (message) => {
      report = message as LoadReport;
    });
    child.on('error', reject);
    child.on('exit', (code, killedBy) => {
      if (report !== undefined && code === 0) resolve(report);
      else reject(new Error(`the load process ended early (${killedBy ?? `exit ${code}`})`));
    });
    child.send(job);
  });
}
