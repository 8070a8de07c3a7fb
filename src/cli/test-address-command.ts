import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { generateCode } from '../kernel/code.ts';
import {
  keepTestCodes,
  readTestAddress,
  type Tenant,
  tenantIssues,
  type TenantSettings,
} from '../tenants/tenants.ts';
import { accountKindOf } from '../users/users.ts';
import { readTestUses } from '../verification/verification.ts';
import { CliError } from './errors.ts';
import { json, table } from './table.ts';
import { existing } from './tenant-command.ts';
import { obstacleOf, type Surroundings } from './test-address-checks.ts';
import { atWorkbench, type Workbench } from './workbench.ts';

interface AddOptions {
  lastDay?: string;
  uses: string;
  codeFile?: string;
  json?: boolean;
}

const DAYS_BY_ITSELF = 30;
const DAY = 86_400_000;

/** `firstproof tenant test-address …`: fixed codes for those who review an app. */
export function testAddressCommands(tenant: Command, configured: () => Config): void {
  const asJson = ['--json', 'print JSON for programs'] as const;
  const group = tenant
    .command('test-address')
    .description('addresses that sign in with a fixed code, for those who review an app');
  group
    .command('add <slug> <address>')
    .description(
      'give a phone number or e-mail address a fixed code, which is printed once; nothing is sent to it',
    )
    .option(
      '--last-day <YYYY-MM-DD>',
      `the last day on which it works (UTC); ${DAYS_BY_ITSELF} days otherwise`,
    )
    .option('--uses <number>', 'how many sign-ins it is good for', '20')
    .option('--code-file <file>', 'take the code from a file instead of a random one')
    .option(...asJson)
    .action((slug: string, address: string, options: AddOptions) =>
      addTestAddress(configured(), slug, address, options),
    );
  group
    .command('list <slug>')
    .description('its test addresses and how often each was used; codes are never shown')
    .option(...asJson)
    .action((slug: string, options: { json?: boolean }) => listTestAddresses(configured(), slug, options));
  group
    .command('remove <slug> <address>')
    .description('end a fixed code; the account that it made goes within a minute')
    .action((slug: string, address: string) => removeTestAddress(configured(), slug, address));
}

async function addTestAddress(
  config: Config,
  slug: string,
  typed: string,
  options: AddOptions,
): Promise<void> {
  const { value } = readAddress(typed);
  const code = options.codeFile === undefined ? undefined : readCode(options.codeFile);
  await atWorkbench(config, async (bench) => {
    const tenant = existing(bench.app.tenants, slug);
    if ((await kindOf(bench, tenant, typed)) === 'real') {
      throw new CliError(`${value} has a real account in "${slug}": a fixed code would let others into it.`);
    }
    const entry = {
      address: value,
      code: code ?? generateCode(tenant.policy.codeLength('sign_in')),
      last_day: options.lastDay ?? new Date(Date.now() + DAYS_BY_ITSELF * DAY).toISOString().slice(0, 10),
      uses: Number(options.uses),
    };
    await write(bench, tenant, [...without(tenant, value), entry]);
    if (options.json) return void process.stdout.write(json(entry));
    const times = entry.uses === 1 ? 'once' : `${entry.uses} times`;
    const shown = code === undefined ? ` ${entry.code}. It is shown this once` : ' of that file';
    const obstacle = whatKeeps(bench, tenant, readAddress(value));
    process.stdout.write(
      `${value} signs in to "${slug}" ${times} until ${entry.last_day} (UTC) with the code${shown}.\n` +
        `Nothing is sent to it. When the review is over: firstproof tenant test-address remove ${slug} ${value}\n` +
        (obstacle === undefined ? '' : `But: ${obstacle}.\n`),
    );
  });
}

async function listTestAddresses(config: Config, slug: string, options: { json?: boolean }): Promise<void> {
  await atWorkbench(config, async (bench) => {
    const tenant = existing(bench.app.tenants, slug);
    const counts = await readTestUses(bench.databases.of(tenant.database), tenant.id);
    const today = new Date().toISOString().slice(0, 10);
    const rows = await Promise.all(
      tenant.policy.testAddresses.map(async (entry) => {
        const count = counts.get(entry.id);
        const used = count?.used ?? 0;
        const state =
          (await kindOf(bench, tenant, entry.value)) === 'real'
            ? 'no effect: a real account has the address'
            : bench.app.tenants.testCodeOf(tenant, entry) === undefined
              ? 'sealed with a secret that is gone: add it again'
              : entry.lastDay < today
                ? 'past its last day'
                : used >= entry.uses
                  ? 'used up'
                  : (whatKeeps(bench, tenant, entry) ?? 'works');
        const last_used_at = count?.lastUsedAt?.toISOString() ?? null;
        return { address: entry.value, last_day: entry.lastDay, uses: entry.uses, used, last_used_at, state };
      }),
    );
    if (options.json) return void process.stdout.write(json(rows));
    if (rows.length === 0) return void process.stdout.write(`"${slug}" has no test addresses.\n`);
    process.stdout.write(
      table(
        ['address', 'last day', 'used', 'state'],
        rows.map((row) => [row.address, row.last_day, `${row.used} of ${row.uses}`, row.state]),
      ),
    );
  });
}

async function removeTestAddress(config: Config, slug: string, typed: string): Promise<void> {
  const { value } = readAddress(typed);
  await atWorkbench(config, async (bench) => {
    const tenant = existing(bench.app.tenants, slug);
    const left = without(tenant, value);
    if (left.length === tenant.settings.test_addresses?.length || !tenant.settings.test_addresses) {
      throw new CliError(`${value} is no test address of "${slug}".`);
    }
    await write(bench, tenant, left);
    process.stdout.write(`${value} has no fixed code any more. Its account goes within a minute.\n`);
  });
}

function without({ settings }: Tenant, value: string): NonNullable<TenantSettings['test_addresses']> {
  return (settings.test_addresses ?? []).filter((entry) => readTestAddress(entry.address)?.value !== value);
}

async function write(
  bench: Workbench,
  tenant: Tenant,
  entries: TenantSettings['test_addresses'],
): Promise<void> {
  const { test_addresses: _before, ...others } = tenant.settings;
  const wanted = entries?.length === 0 ? others : { ...others, test_addresses: entries };
  const settings = keepTestCodes(tenant.settings, wanted as TenantSettings);
  const { tenants } = bench.app;
  const issues = tenantIssues({ ...tenant, settings }, tenants.all());
  if (issues.length > 0) {
    const lines = issues.map(({ path, message }) => `  ${path.replace(/^.*\//, '')} ${message}`);
    throw new CliError(`Nothing was changed:\n${lines.join('\n')}`, 2);
  }
  await tenants.update(tenant, { settings });
}

function whatKeeps({ app }: Workbench, tenant: Tenant, address: { kind: 'phone' | 'email'; value: string }) {
  const surroundings: Surroundings = {
    slugOf: ({ kind, value }) => app.tenants.resolve(kind === 'phone' ? { phone: value } : {})?.slug,
    isOpen: (phone) => app.tolls.isOpen(tenant.policy.tolls, phone),
    planOf: (one) => app.delivery.planOf(tenant, one),
  };
  return obstacleOf(surroundings, tenant, address);
}

function kindOf({ databases }: Workbench, tenant: Tenant, address: string) {
  return accountKindOf(databases.of(tenant.database), tenant.id, readAddress(address));
}

function readAddress(typed: string): { kind: 'phone' | 'email'; value: string } {
  const address = readTestAddress(typed);
  if (address) return address;
  throw new CliError(`"${typed}" is neither an e-mail address nor a phone number with its country code.`, 2);
}

function readCode(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    throw new CliError(`The file ${path} cannot be read.`, 2);
  }
}
