import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { CliError } from './errors.ts';
import { addressesOf, findUser, minute, nameOf, OPERATOR, stateOf } from './find-user.ts';
import { json, table } from './table.ts';
import { existing } from './tenant-command.ts';
import { showUser, type UserShowOptions } from './user-show.ts';
import { atWorkbench } from './workbench.ts';

interface ListOptions {
  tenant: string;
  search?: string;
  state?: string;
  limit: string;
  json?: boolean;
}

const STATES = ['active', 'inactive', 'disabled'] as const;

/** `firstproof user list` */
async function listUsers(config: Config, options: ListOptions): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new CliError('--limit takes a number from 1 to 1000.', 2);
  }
  const state = STATES.find((one) => one === options.state);
  if (options.state !== undefined && !state) throw new CliError(`--state takes ${STATES.join(', ')}.`, 2);
  await atWorkbench(config, async ({ app }) => {
    const tenant = existing(app.tenants, options.tenant);
    const users = await app.accounts.search(tenant, { text: options.search, state, limit });
    if (options.json) return void process.stdout.write(json(users));
    if (users.length === 0) {
      const isFiltered = options.search !== undefined || options.state !== undefined;
      const others = app.tenants.all().filter(({ id }) => id !== tenant.id);
      const elsewhere =
        others.length === 0 ? '' : `Of others: --tenant ${others.map(({ slug }) => slug).join(', ')}\n`;
      process.stdout.write(
        isFiltered
          ? `No account of "${tenant.slug}" fits.\n${elsewhere}`
          : `"${tenant.slug}" has no accounts yet. An account is made by the first proof of an address, or by: firstproof user import\n${elsewhere}`,
      );
      return;
    }
    const rows = users.map((user) => [
      user.id,
      nameOf(user) || (user.username ?? ''),
      addressesOf(user),
      stateOf(user),
      minute(user.last_login),
    ]);
    process.stdout.write(table(['id', 'name', 'addresses', 'state', 'last sign-in (UTC)'], rows));
    if (users.length === limit) process.stdout.write(`The newest ${limit}. More: --limit, or --search\n`);
  });
}

type Who = { tenant?: string; json?: boolean };

/** `firstproof user disable <who>`, `enable <who>` */
async function setDisabled(config: Config, who: string, isDisabled: boolean, options: Who): Promise<void> {
  await atWorkbench(config, async (bench) => {
    const { tenant, user } = await findUser(bench, who, options);
    const outcome = await bench.app.accounts.setDisabled(tenant, user.id, isDisabled, OPERATOR);
    const done = isDisabled ? 'closed: signed out everywhere, and nobody signs in to it' : 'open again';
    const sentence = outcome === 'unchanged' ? `was ${isDisabled ? 'closed' : 'open'} already` : `is ${done}`;
    process.stdout.write(
      options.json
        ? json({ tenant: tenant.slug, id: user.id, is_disabled: isDisabled, changed: outcome === 'changed' })
        : `The account ${user.id} ${sentence}.\n`,
    );
  });
}

/** `firstproof user sessions <who>` */
async function userSessions(
  config: Config,
  who: string,
  options: Who & { end?: boolean | string },
): Promise<void> {
  await atWorkbench(config, async (bench) => {
    const { tenant, user } = await findUser(bench, who, options);
    const { accounts } = bench.app;
    if (options.end !== undefined) {
      const one = typeof options.end === 'string' ? options.end : undefined;
      const count = await accounts.endSessions(tenant, user.id, one, OPERATOR);
      if (one !== undefined && count === 0) {
        throw new CliError(`No live session ${one}. Those there are: firstproof user sessions ${user.id}`);
      }
      process.stdout.write(options.json ? json({ ended: count }) : `Sessions ended: ${count}.\n`);
      return;
    }
    const sessions = await accounts.sessions(tenant, user.id, { onlyLive: false, limit: 50 });
    if (options.json) return void process.stdout.write(json(sessions));
    if (sessions.length === 0) {
      return void process.stdout.write('Signed in nowhere, and not in the last thirty days.\n');
    }
    const rows = sessions.map((session) => [
      session.id,
      session.device_name,
      minute(session.created_at),
      minute(session.last_used_at),
      session.last_ip ?? '',
      session.ended_at ? `${session.end_reason ?? 'ended'}, ${minute(session.ended_at)}` : 'live',
    ]);
    process.stdout.write(table(['id', 'device', 'signed in (UTC)', 'last used', 'from', 'state'], rows));
  });
}

/** `firstproof user erase <who> --yes` */
async function eraseUser(config: Config, who: string, options: Who & { yes?: boolean }): Promise<void> {
  await atWorkbench(config, async (bench) => {
    const { tenant, user } = await findUser(bench, who, options);
    if (!options.yes) {
      throw new CliError(
        `This removes for good what is kept of ${nameOf(user) || 'the person'} (${addressesOf(user)}) in "${tenant.slug}": ` +
          `addresses, profile, devices, messages, and what the audit trail tells of them.\n` +
          `To keep a copy for them first: firstproof user export ${user.id} > person.json\n` +
          `To go on: firstproof user erase ${user.id} --tenant ${tenant.slug} --yes`,
        2,
      );
    }
    const outcome = await bench.app.accounts.erase(tenant, user.id, OPERATOR);
    process.stdout.write(
      options.json
        ? json({ tenant: tenant.slug, id: user.id, outcome })
        : `The data of ${user.id} is gone. One event in the audit trail tells of it: user.erased\n`,
    );
  });
}

/** `firstproof user export <who>` */
async function exportUser(config: Config, who: string, options: Who): Promise<void> {
  await atWorkbench(config, async (bench) => {
    const { tenant, user } = await findUser(bench, who, options);
    await bench.app.audit.chain(bench.databases.of(tenant.database));
    process.stdout.write(json(await bench.app.accounts.export(tenant, user.id, OPERATOR)));
  });
}

/** Adds the commands of accounts below `firstproof user`. */
export function addUserCommands(user: Command, configured: () => Config): void {
  const asJson = ['--json', 'print JSON for programs'] as const;
  const inTenant = ['--tenant <slug>', 'in this tenant only; in every one otherwise'] as const;
  const who = 'a phone, e-mail address, Telegram user id, username, id or name';
  user
    .command('list')
    .description('accounts, the newest first')
    .option('--tenant <slug>', 'whose', 'default')
    .option('--search <text>', who)
    .option('--state <state>', STATES.join(', '))
    .option('--limit <count>', 'so many at most', '50')
    .option(...asJson)
    .action((options: ListOptions) => listUsers(configured(), options));
  user
    .command('show <who>')
    .description('one account on one screen: addresses, locks, devices, what was sent and how it ended')
    .option(...inTenant)
    .option(...asJson)
    .action((text: string, options: UserShowOptions) => showUser(configured(), text, options));
  for (const [name, isDisabled, description] of [
    ['disable', true, 'close an account: signed out everywhere, sign-ins refused'],
    ['enable', false, 'open it again'],
  ] as const) {
    user
      .command(`${name} <who>`)
      .description(description)
      .option(...inTenant)
      .option(...asJson)
      .action((text: string, options: Who) => setDisabled(configured(), text, isDisabled, options));
  }
  user
    .command('sessions <who>')
    .description('where somebody is or was signed in')
    .option('--end [session]', 'end this session, or all of them')
    .option(...inTenant)
    .option(...asJson)
    .action((text: string, options: Who & { end?: boolean | string }) =>
      userSessions(configured(), text, options),
    );
  user
    .command('export <who>')
    .description('everything that is kept of a person, as JSON')
    .option(...inTenant)
    .action((text: string, options: Who) => exportUser(configured(), text, options));
  user
    .command('erase <who>')
    .description('remove what is kept of a person for good; the audit chain stays whole')
    .option('--yes', 'do it')
    .option(...inTenant)
    .option(...asJson)
    .action((text: string, options: Who & { yes?: boolean }) => eraseUser(configured(), text, options));
}
