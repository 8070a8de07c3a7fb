/**
 * Asks the registry for known weaknesses of what `npm ci --omit=dev` installs; high and critical ones fail the check.
 * Where the registry cannot be asked (no network, a mirror without advisories) it says so and passes, unless --strict.
 * Run: node scripts/check-weaknesses.ts
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { isMain } from './is-main.ts';

const FAILING = ['high', 'critical'];
const TIMEOUT_MILLISECONDS = 15_000;

interface Advisory {
  title?: string;
  url?: string;
  severity?: string;
}

interface Report {
  message?: string;
  metadata?: { vulnerabilities?: Record<string, number> };
  vulnerabilities?: Record<
    string,
    { name: string; severity: string; range: string; via: readonly (string | Advisory)[] }
  >;
}

/** What `npm audit --json` has found: a sentence each; undefined where the registry gave no answer. */
export function weaknessesIn(output: string): { found: string[] } | { unanswered: string } {
  let report: Report;
  try {
    report = JSON.parse(output) as Report;
  } catch {
    return { unanswered: output.trim().split('\n').at(-1) ?? '' };
  }
  if (!report.metadata?.vulnerabilities)
    return { unanswered: report.message ?? 'the answer holds no figures' };
  const found = Object.values(report.vulnerabilities ?? {})
    .filter(({ severity }) => FAILING.includes(severity))
    .map(({ name, range, severity, via }) => {
      const why = via.map((one) =>
        typeof one === 'string' ? one : `${one.title ?? ''} ${one.url ?? ''}`.trim(),
      );
      return `${name} ${range}: ${severity}: ${why.join('; ')}`;
    });
  return { found };
}

function main(root: string, isStrict: boolean): void {
  const words = ['audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=8000'];
  const npm = process.env['npm_execpath'];
  const [command, before] = npm ? [process.execPath, [npm]] : ['npm', []];
  const { stdout, error } = spawnSync(command, [...before, ...words], {
    cwd: root,
    encoding: 'utf8',
    timeout: TIMEOUT_MILLISECONDS,
  });
  const outcome = error ? { unanswered: error.message } : weaknessesIn(stdout);
  if ('unanswered' in outcome) {
    console.log(`known weaknesses could not be looked up: ${outcome.unanswered.slice(0, 300)}`);
    if (isStrict) process.exitCode = 1;
    return;
  }
  for (const line of outcome.found) console.log(line);
  console.log(`${outcome.found.length} known weaknesses of high or critical severity`);
  if (outcome.found.length > 0) process.exitCode = 1;
}

if (isMain(import.meta.filename)) main(dirname(import.meta.dirname), process.argv.includes('--strict'));
