import type { Command } from 'commander';
import { recordEvent } from '../audit/audit.ts';
import type { Config } from '../config/config.ts';
import type { Probed, ProbeOutcome } from '../delivery/delivery.ts';
import { parseEmail } from '../kernel/email.ts';
import { parsePhone } from '../kernel/phone.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { CliError } from './errors.ts';
import { explainResult } from './provider-words.ts';
import { json } from './table.ts';
import { existing } from './tenant-command.ts';
import { atWorkbench, type Workbench } from './workbench.ts';

interface TestOptions {
  tenant: string;
  provider?: string;
  locale?: string;
  json?: boolean;
}

const CHANNELS = ['sms', 'voice', 'email', 'telegram'] as const;

/** `firstproof provider …` */
export function providerCommands(program: Command, configured: () => Config): void {
  program
    .command('provider')
    .description('what carries messages')
    .command('test <channel> <address>')
    .description(
      'send a real test message as a code would go, and tell what the provider answered; exit code 1 when none took it',
    )
    .option('--tenant <slug>', 'in whose name', 'default')
    .option('--provider <name>', 'by this provider only; otherwise by each in its order until one takes it')
    .option('--locale <locale>', "language of the message; the tenant's otherwise")
    .option('--json', 'print JSON for programs')
    .action((channel: string, address: string, options: TestOptions) =>
      testProvider(configured(), channel, address, options),
    );
}

async function testProvider(
  config: Config,
  channel: string,
  typed: string,
  options: TestOptions,
): Promise<void> {
  if (!(CHANNELS as readonly string[]).includes(channel)) {
    throw new CliError(`There is no channel "${channel}". There are: ${CHANNELS.join(', ')}`, 2);
  }
  await atWorkbench(config, async (bench) => {
    const tenant = existing(bench.app.tenants, options.tenant);
    const to = readRecipient(tenant, channel, typed);
    if (tenant.policy.testAddresses.some(({ value }) => value === to)) {
      throw new CliError(`${to} is a test address of "${tenant.slug}": nothing is ever sent to it.`);
    }
    const outcome = await bench.app.delivery.probe({
      ...{ tenant, channel, to, provider: options.provider, locale: options.locale ?? tenant.locale },
      database: bench.databases.of(tenant.database),
    });
    if (!outcome.ok) throw new CliError(whyNone(outcome, tenant, channel, options.provider));
    await record(bench, tenant, channel, outcome.probed);
    const isSent = outcome.probed.at(-1)?.result.state === 'sent';
    if (options.json) {
      const probed = outcome.probed.map((one) => ({ ...one, ...explainResult(one.result) }));
      process.stdout.write(json({ ok: isSent, channel, to, text: outcome.text, probed }));
    } else {
      process.stdout.write(report(bench, tenant, { channel, to }, outcome));
    }
    if (!isSent) process.exitCode = 1;
  });
}

function report(
  { app }: Workbench,
  tenant: Tenant,
  { channel, to }: { channel: string; to: string },
  { text, code, probed }: Extract<ProbeOutcome, { ok: true }>,
): string {
  const lines = probed.flatMap(({ provider, result, tookMilliseconds }) => {
    const { happened, remedy } = explainResult(result);
    const seconds = (tookMilliseconds / 1000).toFixed(1);
    return [`${provider} ${happened}, after ${seconds} s.`, ...(remedy === undefined ? [] : [`  ${remedy}`])];
  });
  const isSent = probed.at(-1)?.result.state === 'sent';
  if (isSent) {
    lines.push(
      '',
      'Now look whether it arrives. Where the provider has a text of its own, that is what comes; else:',
      ...text.split('\n').map((line) => `  ${line}`),
      `The code ${code} in it was made for this test and opens nothing.`,
    );
  }
  // A test goes out where codes would not: that must not look like a code that works.
  if (['sms', 'voice'].includes(channel) && !app.tolls.isOpen(tenant.policy.tolls, to)) {
    lines.push(
      '',
      `Codes are not sent to this number yet: its country is not open. firstproof tenant set ${tenant.slug} tolls.countries=…`,
    );
  }
  if (!tenant.policy.channels.includes(channel)) {
    lines.push('', `Codes do not go this way yet: ${channel} is not among the channels of "${tenant.slug}".`);
  }
  return `${lines.join('\n')}\n`;
}

function whyNone(
  { reason, names }: Extract<ProbeOutcome, { ok: false }>,
  tenant: Tenant,
  channel: string,
  wanted: string | undefined,
): string {
  if (reason === 'unknown') {
    return `No provider "${wanted}" carries ${channel} for "${tenant.slug}". There are: ${names.join(', ')}`;
  }
  return channel === 'telegram'
    ? `Nothing carries telegram there: the bot knows no chat of this address, and the Telegram Gateway is not configured for "${tenant.slug}".`
    : `No provider carries ${channel} for "${tenant.slug}". What is configured: firstproof doctor`;
}

/** In the form in which codes go out. @throws CliError (exit 2) */
function readRecipient(tenant: Tenant, channel: string, typed: string): string {
  if (channel === 'email') {
    const parsed = parseEmail(typed);
    if (parsed.ok) return parsed.asEntered;
    throw new CliError(`"${typed}" is no e-mail address.`, 2);
  }
  if (channel === 'telegram' && /^[1-9]\d{0,15}$/.test(typed)) return typed;
  const parsed = parsePhone(typed, tenant.policy.defaultCountry);
  if (parsed.ok) return parsed.phone;
  throw new CliError(
    `"${typed}" is no phone number. Write it with its country code, such as +14155552671.`,
    2,
  );
}

async function record(
  { app, databases }: Workbench,
  tenant: Tenant,
  channel: string,
  probed: readonly Probed[],
): Promise<void> {
  const database = databases.of(tenant.database);
  const { sql } = database;
  const last = probed.at(-1);
  const recorded = recordEvent(sql, {
    tenantId: tenant.id,
    id: sql`${app.newId()}::uuid`,
    action: sql`'provider.tested'`,
    actor: sql`'system'`,
    subject: sql`${`provider:${last?.provider ?? ''}`}::text`,
    caller: undefined,
    now: database.now(),
    data: sql`jsonb_build_object('channel', ${channel}::text, 'state', ${last?.result.state ?? ''}::text)`,
    from: sql`(select 1) once`,
  });
  await sql`${recorded}`;
}
