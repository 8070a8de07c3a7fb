/**
 * The long form of test/crash/kill.test.ts (requirement S17): at least 50 kills, at least 20,000 acknowledged
 * operations on one data folder, and none of them lost.
 *
 * Run: npm run test:crash            about ten minutes
 *      npm run test:crash -- 10      so many rounds
 */
import { runRounds } from '../test/crash/rounds.ts';

const rounds = Number(process.argv[2] ?? 51);
const report = await runRounds({
  rounds,
  acknowledgedEachRound: 450,
  concurrency: 12,
  tell: (line) => console.log(line),
});
const failed = report.losses.length + report.wrong.length > 0;
for (const sentence of [...report.losses, ...report.wrong].slice(0, 20)) console.error(sentence);
console.log(
  `${rounds} rounds in ${report.seconds} s: ${report.acknowledged} operations acknowledged, ` +
    `${report.unknown} of unknown end, ${report.losses.length} lost, ${report.wrong.length} wrong answers`,
);
process.exitCode = failed || (rounds >= 50 && report.acknowledged < 20_000) ? 1 : 0;
