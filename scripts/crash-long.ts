/**
 * The long forms of the crash tests.
 *
 * Run: npm run test:crash                     both
 *      npm run test:crash -- server [51]      kills of a whole server under load (requirement S17), so many rounds:
 *                                             at least 20,000 acknowledged operations on one data folder, none lost
 *      npm run test:crash -- delivery [200]   kills of the worker that delivers (R01), so many, at each of its steps
 *                                             in turn: every code delivered or expired, duplicates at most one a kill
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { runRounds } from '../test/crash/rounds.ts';

const [which = 'both', count] = process.argv.slice(2);
if (!['both', 'server', 'delivery'].includes(which)) {
  console.error(`"${which}" is no part. Write server or delivery, or nothing for both.`);
  process.exit(2);
}
const isServerSound = which === 'delivery' || (await killServers(Number(count ?? 51)));
const isDeliverySound = which === 'server' || (await killDelivery(Number(count ?? 200)));
process.exitCode = isServerSound && isDeliverySound ? 0 : 1;

async function killServers(rounds: number): Promise<boolean> {
  const report = await runRounds({
    rounds,
    acknowledgedEachRound: 450,
    concurrency: 12,
    tell: (line) => console.log(line),
  });
  for (const sentence of [...report.losses, ...report.wrong].slice(0, 20)) console.error(sentence);
  console.log(
    `${rounds} rounds in ${report.seconds} s: ${report.acknowledged} operations acknowledged, ` +
      `${report.unknown} of unknown end, ${report.losses.length} lost, ${report.wrong.length} wrong answers`,
  );
  const isLong = rounds >= 50;
  return report.losses.length + report.wrong.length === 0 && !(isLong && report.acknowledged < 20_000);
}

/** test/crash/delivery-kill.test.ts with more kills; the test runner brings the PostgreSQL. */
function killDelivery(kills: number): Promise<boolean> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'test.ts'), 'crash/delivery-kill'], {
    stdio: 'inherit',
    env: { ...process.env, FIRSTPROOF_KILLS: String(kills) },
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve(code === 0));
  });
}
