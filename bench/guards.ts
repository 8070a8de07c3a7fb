/**
 * What each guard costs a sign-in (send-verification, the inbox, verify-code): with everything on, and with each guard
 * taken out in turn where a setting or a request can take it out. One server, a tenant for each setting, rounds in turn.
 *
 * Run: node bench/guards.ts [--quick]     prints the Markdown of docs/reference/performance.md; progress to stderr
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { timeChallenges } from './challenge-time.ts';
import { settleDatabase } from './fill.ts';
import { type Comparison, type Sample, writeGuards } from './guards-report.ts';
import { runLoad, type LoadJob, type Scenario } from './load-job.ts';
import { processorSeconds, processorSecondsOfFamily } from './processor-time.ts';
import { runFirstproof, startFirstproof } from './servers.ts';

const SITE = 'https://app.example.com';
const IDEMPOTENT = 'idempotency-key: {unique}';
const FROM_A_PAGE = [`origin: ${SITE}`, 'sec-fetch-site: cross-site'];
const WHOLE = ['x-tenant: whole', IDEMPOTENT, ...FROM_A_PAGE];

/** One way to sign in. The first of each address has every guard; `again` is the same once more: its ratio is the noise. */
interface Variant {
  name: string;
  by: 'email' | 'phone';
  headerLines: readonly string[];
}

const inTenant = (tenant: string): string[] => [`x-tenant: ${tenant}`, IDEMPOTENT, ...FROM_A_PAGE];

const variants: readonly Variant[] = [
  { name: 'by e-mail, every guard', by: 'email', headerLines: WHOLE },
  { name: 'the same again (noise)', by: 'email', headerLines: WHOLE },
  { name: 'without `Idempotency-Key`', by: 'email', headerLines: ['x-tenant: whole', ...FROM_A_PAGE] },
  { name: 'without `Origin`, as a program calls', by: 'email', headerLines: ['x-tenant: whole', IDEMPOTENT] },
  { name: 'with `error_detail` uniform', by: 'email', headerLines: inTenant('uniform') },
  { name: 'by SMS, every guard', by: 'phone', headerLines: WHOLE },
  { name: 'the same again (noise)', by: 'phone', headerLines: WHOLE },
  { name: 'without recycled numbers', by: 'phone', headerLines: inTenant('not-recycled') },
];

/** Tenants that the variants speak to, with their settings. */
const tenants: Readonly<Record<string, readonly string[]>> = {
  whole: [],
  uniform: ['error_detail=uniform'],
  'not-recycled': ['recycled_numbers.mode=off'],
};

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const effort = values.quick
  ? { rounds: 3, seconds: 1.5, warmUpSeconds: 1, connections: 16 }
  : { rounds: 7, seconds: 5, warmUpSeconds: 3, connections: 32 };
/** Accounts that sign in again and again, by each kind of address in each tenant. */
const POPULATION = 200;
/** Beyond this the runs of one program would use the same new addresses; they only tell them apart here. */
let run = 9000;

const progress = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'firstproof-guards-'));
  stack.defer(() => rm(dataDirectory, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ dataDirectory, log: () => {} });
  stack.defer(() => postgres.stop());
  await postgres.ensureDatabase('guards');
  const database = postgres.url('guards');
  const server = await startFirstproof(database);
  stack.defer(() => server.stop());
  for (const [slug, settings] of Object.entries(tenants)) {
    await runFirstproof(database, ['tenant', 'create', slug]);
    // A thousand people of one range of numbers are no pump here, and what they type is looked at all the same.
    const all = [`allowed_origins=${SITE}`, 'tolls.countries=US', 'tolls.money_per_day=1000000', ...settings];
    await runFirstproof(database, ['tenant', 'set', slug, ...all]);
  }
  const load = (variant: Variant, scenario: Scenario, seconds: number): ReturnType<typeof runLoad> => {
    run += 1;
    const job: LoadJob = {
      product: 'firstproof',
      ports: [server.port],
      scenario,
      seconds,
      connections: effort.connections,
      run,
      population: POPULATION,
      credentials: [],
      by: variant.by,
      headerLines: variant.headerLines,
    };
    return runLoad(job);
  };
  const measureOnce = async (variant: Variant): Promise<Sample> => {
    const before = [processorSeconds(server.pid), processorSecondsOfFamily(postgres.pid)] as const;
    const report = await load(variant, 'sign-in', effort.seconds);
    const [ours, theirs] = [processorSeconds(server.pid), processorSecondsOfFamily(postgres.pid)];
    if (report.errors > 0) throw new Error(`${variant.name}: ${report.firstError}`);
    const each = (seconds: number): number => (seconds * 1000) / report.flows;
    progress(`  ${variant.name}: ${Math.round(report.perSecond)}/s`);
    return {
      perSecond: report.perSecond,
      serverMilliseconds: each(ours - before[0]),
      databaseMilliseconds: each(theirs - before[1]),
    };
  };
  for (const [index, variant] of variants.entries()) {
    const isKnown = variants.slice(0, index).some((one) => sameAccounts(one, variant));
    if (isKnown) continue;
    progress(`${variant.name}: ${POPULATION} accounts`);
    const enrolled = await load(variant, 'enrol', 0);
    if (enrolled.errors > 0) throw new Error(`${variant.name}: ${enrolled.firstError}`);
  }
  await settleDatabase(database);
  for (const variant of variants) await load(variant, 'sign-in', effort.warmUpSeconds);
  const samples = variants.map((): Sample[] => []);
  for (let round = 1; round <= effort.rounds; round++) {
    progress(`round ${round} of ${effort.rounds}`);
    for (const [index, variant] of variants.entries()) samples[index]?.push(await measureOnce(variant));
  }
  const comparisons: Comparison[] = variants.map((variant, index) => ({
    name: variant.name,
    samples: samples[index] ?? [],
    against: samples[variants.findIndex(({ by }) => by === variant.by)] ?? [],
  }));
  return writeGuards(comparisons, await timeChallenges(), effort);
}

/** Accounts belong to the tenant, which the first header line names. */
function sameAccounts(one: Variant, other: Variant): boolean {
  return one.by === other.by && one.headerLines[0] === other.headerLines[0];
}

process.stdout.write(await main());
