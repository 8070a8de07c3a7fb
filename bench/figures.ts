import type { Measured } from './measure.ts';
import { summarizeMemory } from './memory.ts';
import type { StartTimes } from './start-time.ts';

/** One line of the table: what was reached, what it is compared with, and whether that is enough. */
export interface Figure {
  readonly figure: string;
  readonly firstproof: string;
  readonly against: string;
  readonly result: string;
  readonly target: string;
  readonly verdict: string;
}

const rate = (measured: Measured): string => `${Math.round(measured.perSecond).toLocaleString('en-US')}/s`;
const times = (ratio: number): string => `${ratio.toFixed(1)}×`;
const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

/** A figure only counts when every answer on both sides was right. */
function judge(reached: boolean, sides: readonly Measured[]): string {
  const errors = sides.reduce((sum, side) => sum + side.errors, 0);
  if (errors > 0) return `not valid: ${errors} errors`;
  return reached ? 'reached' : 'missed';
}

/** Rate of `ours` over rate of `theirs`, to be at least `least`. */
export function compareRates(figure: string, ours: Measured, theirs: Measured, least: number): Figure {
  const ratio = ours.perSecond / theirs.perSecond;
  const write = least >= 2 ? times : least > 1 ? (value: number) => `${value.toFixed(2)}×` : percent;
  return {
    figure,
    firstproof: rate(ours),
    against: `${theirs.name}: ${rate(theirs)}`,
    result: write(ratio),
    target: `≥ ${least > 1 ? `${least}×` : percent(least)}`,
    verdict: judge(ratio >= least, [ours, theirs]),
  };
}

/** A rate that is told but has no target. */
export function tellRate(figure: string, ours: Measured, theirs?: Measured): Figure {
  return {
    figure,
    firstproof: rate(ours),
    against: theirs === undefined ? '' : `${theirs.name}: ${rate(theirs)}`,
    result: theirs === undefined ? '' : times(ours.perSecond / theirs.perSecond),
    target: 'for information',
    verdict: judge(true, theirs === undefined ? [ours] : [ours, theirs]).replace('reached', ''),
  };
}

/** The same figure on a machine without the cores it needs: told, not judged. */
export function withoutVerdict(figure: Figure, reason: string): Figure {
  return figure.verdict.startsWith('not valid') ? figure : { ...figure, verdict: reason };
}

/** Highest resident memory of the server process over all scenarios, to be at most half of the peer's. */
export function compareMemory(ours: readonly Measured[], theirs: readonly Measured[]): Figure {
  const our = summarizeMemory(ours.flatMap(({ memory }) => memory));
  const their = summarizeMemory(theirs.flatMap(({ memory }) => memory));
  const ratio = our.max / their.max;
  const write = (use: { median: number; max: number }): string =>
    `${Math.round(use.max)} MB (median ${Math.round(use.median)})`;
  return {
    figure: 'resident memory of the server process under load',
    firstproof: write(our),
    against: `Better Auth: ${write(their)}`,
    result: percent(ratio),
    target: '≤ 50 %',
    verdict: ratio <= 0.5 ? 'reached' : 'missed',
  };
}

/** `npm start` to the first answered request. */
export function judgeStart({ firstBoot, after }: StartTimes): Figure[] {
  const figure = (name: string, seconds: number, most: number): Figure => ({
    figure: name,
    firstproof: `${seconds.toFixed(2)} s`,
    against: '',
    result: `${seconds.toFixed(2)} s`,
    target: `≤ ${most} s`,
    verdict: seconds <= most ? 'reached' : 'missed',
  });
  return [
    figure('`npm start` to first answer, first boot (initdb included)', firstBoot, 2),
    figure('`npm start` to first answer, after that', after, 1),
  ];
}
