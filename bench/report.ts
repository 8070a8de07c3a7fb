import { cpus, totalmem } from 'node:os';
import type { Figure } from './figures.ts';
import type { Measured } from './measure.ts';

/** What the figures were measured on. */
export interface Circumstances {
  readonly postgresVersion: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

/** An aligned Markdown table; the columns named in `right` are aligned to the right. */
export function writeTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly string[] = [],
): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, 3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const writeRow = (cells: readonly string[]): string => {
    const padded = head.map((name, column) => {
      const cell = cells[column] ?? '';
      const width = widths[column] as number;
      return right.includes(name) ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rule = head.map((name, column) => {
    const dashes = '-'.repeat((widths[column] as number) - 1);
    return right.includes(name) ? `${dashes}:` : `${dashes}-`;
  });
  return [writeRow(head), `| ${rule.join(' | ')} |`, ...rows.map(writeRow)].join('\n');
}

function writeMeasured(measured: Measured): string[] {
  const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
  return [
    measured.scenario,
    measured.name,
    whole(measured.perSecond),
    measured.p50.toFixed(2),
    measured.p99.toFixed(2),
    measured.rounds.map(whole).join(' '),
    measured.errors === 0
      ? '0'
      : `${measured.errors}: ${(measured.firstError ?? '').replaceAll('|', '/').slice(0, 80)}`,
  ];
}

/** The day, the machine and the versions, in one line. */
export function writeMachine(postgresVersion: string): string {
  const processors = cpus();
  return [
    new Date().toISOString().slice(0, 10),
    `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}`,
    `${Math.round(totalmem() / 2 ** 30)} GB`,
    `${process.platform} ${process.arch}`,
    `Node.js ${process.versions.node}`,
    `PostgreSQL ${postgresVersion}`,
  ].join(' · ');
}

/** The whole report as Markdown, readable as plain text too. */
export function writeReport(
  figures: readonly Figure[],
  measurements: readonly Measured[],
  circumstances: Circumstances,
): string {
  const facts = writeMachine(circumstances.postgresVersion);
  const { rounds, seconds, connections } = circumstances;
  const figureRows = figures.map((figure) => [
    figure.figure,
    figure.firstproof,
    figure.against,
    figure.result,
    figure.target,
    figure.verdict,
  ]);
  return [
    '# Measured in one run',
    '',
    facts,
    '',
    `Medians of ${rounds} interleaved rounds of ${seconds} s, ${connections} concurrent connections;`,
    'client, servers and PostgreSQL share the machine. How and why: bench/README.md.',
    '',
    writeTable(['figure', 'Firstproof', 'against', 'result', 'target', 'verdict'], figureRows),
    '',
    '## Every measurement',
    '',
    writeTable(
      ['scenario', 'server', 'per second', 'p50 ms', 'p99 ms', 'rounds', 'errors'],
      measurements.map(writeMeasured),
      ['per second', 'p50 ms', 'p99 ms'],
    ),
    '',
  ].join('\n');
}
