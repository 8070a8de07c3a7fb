import { runLoad, type LoadReport, type Scenario } from './load-job.ts';
import { watchMemory } from './memory.ts';
import type { Credential, ProductName } from './products.ts';
import type { RunningServer } from './servers.ts';
import { median } from './statistics.ts';

/** How long and how hard every measurement runs. */
export interface Effort {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly signal: AbortSignal;
  /** Tells a person what is going on. */
  readonly progress: (line: string) => void;
}

/** One side of a comparison: one or more processes of one product. */
export interface Contender {
  readonly name: string;
  readonly product: ProductName;
  readonly servers: readonly RunningServer[];
  readonly population: number;
  readonly credentials: readonly Credential[];
}

/** What one contender reached in one scenario: medians over the rounds; errors summed over them. */
export interface Measured {
  readonly name: string;
  readonly scenario: Scenario;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly rounds: readonly number[];
  readonly errors: number;
  readonly firstError: string | null;
  /** Resident megabytes of all its processes together, sampled during the rounds. */
  readonly memory: readonly number[];
}

// Every load run of this process gets addresses that no other run of it used.
let runs = 0;

function load(
  contender: Contender,
  scenario: Scenario,
  effort: Effort,
  seconds: number,
): Promise<LoadReport> {
  runs += 1;
  return runLoad(
    {
      product: contender.product,
      ports: contender.servers.map((server) => server.port),
      scenario,
      seconds,
      connections: effort.connections,
      run: runs,
      population: contender.population,
      credentials: contender.credentials,
    },
    effort.signal,
  );
}

/**
 * Makes sure that the contender's first `population` accounts exist and signs each in once.
 * Throws when any of them could not be.
 */
export async function enrol(contender: Contender, effort: Effort): Promise<Contender> {
  const report = await load(contender, 'enrol', effort, 0);
  if (report.errors > 0) throw new Error(`${contender.name}: enrolling failed: ${report.firstError}`);
  return { ...contender, credentials: report.credentials };
}

async function measureOnce(
  contender: Contender,
  scenario: Scenario,
  effort: Effort,
): Promise<{ report: LoadReport; memory: number[] }> {
  const watch = watchMemory(contender.servers.map((server) => server.pid));
  try {
    const report = await load(contender, scenario, effort, effort.seconds);
    return { report, memory: sumSamples(watch.stop()) };
  } finally {
    watch.stop();
  }
}

function sumSamples(samples: readonly number[][]): number[] {
  const [first = [], ...others] = samples;
  return first.map((sample, index) => others.reduce((sum, other) => sum + (other[index] ?? 0), sample));
}

/** Warms every contender up, then measures in turn (A, B, A, B, …), so that a busy moment hits all alike. */
export async function measure(
  scenario: Scenario,
  contenders: readonly Contender[],
  effort: Effort,
): Promise<Measured[]> {
  for (const contender of contenders) await load(contender, scenario, effort, effort.warmUpSeconds);
  const taken = contenders.map((): { report: LoadReport; memory: number[] }[] => []);
  for (let round = 1; round <= effort.rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const once = await measureOnce(contender, scenario, effort);
      taken[index]?.push(once);
      const rate = `${Math.round(once.report.perSecond)}/s`;
      const errors =
        once.report.errors === 0 ? '' : `, ${once.report.errors} errors: ${once.report.firstError}`;
      effort.progress(`${scenario} round ${round}/${effort.rounds}: ${contender.name} ${rate}${errors}`);
    }
  }
  return contenders.map(({ name }, index) => {
    const reports = (taken[index] ?? []).map(({ report }) => report);
    return {
      name,
      scenario,
      perSecond: median(reports.map((report) => report.perSecond)),
      p50: median(reports.map((report) => report.p50)),
      p99: median(reports.map((report) => report.p99)),
      rounds: reports.map((report) => report.perSecond),
      errors: reports.reduce((sum, report) => sum + report.errors, 0),
      firstError: reports.find((report) => report.firstError !== null)?.firstError ?? null,
      memory: (taken[index] ?? []).flatMap(({ memory }) => memory),
    };
  });
}
