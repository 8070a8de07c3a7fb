import type { ChallengeTimes } from './challenge-time.ts';
import { writeTable } from './report.ts';
import { median } from './statistics.ts';

/** One round of one variant; processor time for each sign-in, NaN where the system does not tell. */
export interface Sample {
  perSecond: number;
  serverMilliseconds: number;
  databaseMilliseconds: number;
}

/** A variant beside the one with every guard, round by round. */
export interface Comparison {
  name: string;
  samples: readonly Sample[];
  against: readonly Sample[];
}

const of = (samples: readonly Sample[], key: keyof Sample): number => median(samples.map((one) => one[key]));
const told = (value: number, digits: number): string => (Number.isNaN(value) ? '–' : value.toFixed(digits));

/** Ratios are taken within a round, where both had the same machine, and their median is told. */
export function ratioOf({ samples, against }: Comparison, key: (sample: Sample) => number): number {
  return median(samples.map((sample, round) => key(sample) / key(against[round] ?? sample)));
}

const processorTime = (sample: Sample): number => sample.serverMilliseconds + sample.databaseMilliseconds;
const percent = (ratio: number): string => (Number.isNaN(ratio) ? '–' : `${Math.round(ratio * 100)} %`);

/** The section of docs/reference/performance.md, as Markdown. */
export function writeGuards(
  comparisons: readonly Comparison[],
  challenges: ChallengeTimes,
  effort: { rounds: number; seconds: number; connections: number },
): string {
  const rows = comparisons.map((comparison) => {
    const isFirst = comparison.samples === comparison.against;
    return [
      comparison.name,
      told(of(comparison.samples, 'perSecond'), 0),
      isFirst ? '' : percent(ratioOf(comparison, (sample) => sample.perSecond)),
      told(of(comparison.samples, 'serverMilliseconds'), 2),
      told(of(comparison.samples, 'databaseMilliseconds'), 2),
      isFirst ? '' : percent(ratioOf(comparison, processorTime)),
    ];
  });
  const head = ['sign-in', 'per second', 'rate', 'server ms', 'PostgreSQL ms', 'processor time'];
  return [
    `Medians of ${effort.rounds} rounds in turn of ${effort.seconds} s, ${effort.connections} connections. Rate and processor time are against every guard, within a round; the second line of each kind is the same once more, so what lies as close to 100 % as it does is noise.`,
    '',
    writeTable(head, rows, head.slice(1)),
    '',
    `A proof of work is only put where it is asked for. Putting the easiest costs the server ${told(challenges.put, 2)} ms, checking its solution ${told(challenges.check, 2)} ms, and solving it ${told(challenges.solve, 0)} ms of the machine that asks.`,
    '',
    'What no setting takes out is in every line: the budgets of addresses and callers (the send is taken by the statement that writes the code), the gate of an address that was guessed at, the owner’s share, the audit event and its chaining by the worker, notices of new devices, sealing the code, and for SMS the tolls.',
    '',
  ].join('\n');
}
