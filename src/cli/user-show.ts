import type { AddressUse, SentRow, SessionRow } from '../accounts/accounts.ts';
import type { Config } from '../config/config.ts';
import type { UnreachableRow } from '../delivery/delivery.ts';
import { findUser, type Found, minute, nameOf, stateOf } from './find-user.ts';
import { printable } from './printable.ts';
import { json, table } from './table.ts';
import { atWorkbench, type Workbench } from './workbench.ts';

export interface UserShowOptions {
  tenant?: string;
  json?: boolean;
}

/** `firstproof user show <who>`: what a support person needs, on one screen. No code, no token, no password. */
export async function showUser(config: Config, who: string, options: UserShowOptions): Promise<void> {
  await atWorkbench(config, async (bench) => {
    const found = await findUser(bench, who, options);
    const { tenant, user } = found;
    const { accounts } = bench.app;
    const subjects = [`user:${user.id}`, ...user.identities.map(({ kind, value }) => `${kind}:${value}`)];
    await bench.app.audit.chain(bench.databases.of(tenant.database));
    const [sessions, uses, messages, events, unreachable] = await Promise.all([
      accounts.sessions(tenant, user.id, { onlyLive: true, limit: 10 }),
      accounts.uses(tenant, user),
      accounts.messages(tenant, user, { limit: 8 }),
      accounts.events(tenant, { about: { actor: `user:${user.id}`, subjects }, limit: 8 }),
      outOfReach(found, bench),
    ]);
    if (options.json) {
      process.stdout.write(
        json({ tenant: tenant.slug, user, sessions, budgets: uses, messages, events, unreachable }),
      );
      return;
    }
    const parts = [
      head(found),
      section('Addresses', addresses(found, uses, bench)),
      section('Signed in on', devices(sessions)),
      section('Sent in the last seven days', sent(messages)),
      section(
        'What happened last',
        table(
          ['at (UTC)', 'event', 'from', 'details'],
          events.map((event) => [minute(event.at), event.action, event.ip ?? '', detailsOf(event.data)]),
        ),
        events.length,
      ),
    ];
    process.stdout.write(`${parts.join('\n')}\n${advice(found, uses, unreachable, bench)}`);
  });
}

function head({ tenant, user }: Found): string {
  const name = nameOf(user) || user.username || 'no name';
  const facts = [
    `${name}${user.username === null || nameOf(user) === '' ? '' : ` (${user.username})`}: ${stateOf(user)}${user.role === 'user' ? '' : `, role ${user.role}`}`,
    `${user.id}, tenant ${tenant.slug}`,
    `made ${minute(user.created_at)}, last sign-in ${minute(user.last_login)} UTC, ${user.has_password ? 'has a password' : 'no password'}`,
  ];
  return `${facts.join('\n')}\n`;
}

/** A heading with its table; one sentence where there is nothing to show. */
function section(title: string, content: string, rows?: number): string {
  return `${title}\n${indent(rows === 0 ? 'nothing\n' : content)}`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function addresses({ user }: Found, uses: readonly AddressUse[], { app }: Workbench): string {
  const { limits } = app;
  return table(
    ['kind', 'address', 'proved', 'codes sent', 'wrong codes', 'lock'],
    user.identities.map((identity) => {
      const use = uses.find((one) => one.kind === identity.kind && one.value === identity.value);
      return [
        identity.kind,
        identity.value,
        identity.verified_at === null ? 'no' : minute(new Date(identity.verified_at)),
        use
          ? `${use.sent_ten_minutes}/${limits.sendsPerTenMinutes} in 10 min, ${use.sent_day}/${limits.sendsPerDay} today`
          : 'none',
        use
          ? `${use.wrong_hour}/${limits.wrongCodesPerHour} in 1 h, ${use.wrong_day}/${limits.wrongCodesPerDay} today`
          : 'none',
        lockOf(use, limits),
      ];
    }),
  );
}

function lockOf(use: AddressUse | undefined, limits: Workbench['app']['limits']): string {
  if (!use) return 'open';
  if (use.wrong_in_a_row >= limits.wrongCodesInARow) return `CLOSED since ${minute(use.closed_at)}`;
  if (use.wrong_hour >= limits.wrongCodesPerHour) return 'LOCKED for the hour';
  if (use.wrong_day >= limits.wrongCodesPerDay) return 'LOCKED for the day';
  if (use.sent_day >= limits.sendsPerDay) return 'no more codes today';
  if (use.sent_ten_minutes >= limits.sendsPerTenMinutes) return 'no more codes for 10 min';
  if (use.strangers_in_a_row >= limits.freeWrongCodesInARow) return 'guessed at: a challenge is asked';
  return 'open';
}

function devices(sessions: readonly SessionRow[]): string {
  if (sessions.length === 0) return 'no device\n';
  return table(
    ['device', 'kind', 'last used (UTC)', 'from', 'ends', 'session'],
    sessions.map((session) => [
      session.device_name,
      session.device_kind,
      minute(session.last_used_at),
      session.last_ip ?? '',
      minute(session.expires_at).slice(0, 10),
      session.id,
    ]),
  );
}

function sent(messages: readonly SentRow[]): string {
  if (messages.length === 0) return 'nothing\n';
  return table(
    ['at (UTC)', 'what', 'by', 'state', 'provider', 'why not'],
    messages.map((message) => [
      minute(message.created_at),
      message.template,
      message.channel,
      message.state,
      message.provider ?? '',
      (message.error ?? '').slice(0, 60),
    ]),
  );
}

function detailsOf(data: Record<string, unknown>): string {
  return ['state', 'reason', 'purpose', 'channel', 'kind', 'method', 'idle']
    .flatMap((name) => (typeof data[name] === 'string' ? [data[name]] : []))
    .join(', ');
}

/** Which of the person's addresses a provider calls out of reach. */
async function outOfReach({ tenant, user }: Found, { app, databases }: Workbench): Promise<UnreachableRow[]> {
  const database = databases.of(tenant.database);
  const found = await Promise.all(
    user.identities.map(({ kind, value, as_entered: asEntered }) => {
      // As codes go out.
      const recipient = kind === 'email' ? asEntered : value;
      return app.delivery.unreachable.list(database, { tenantId: tenant.id, recipient });
    }),
  );
  return found.flat();
}

/** What helps, where something keeps this person out. */
function advice(
  { tenant, user }: Found,
  uses: readonly AddressUse[],
  unreachable: readonly UnreachableRow[],
  { app }: Workbench,
): string {
  const closed = uses.find((use) => use.wrong_in_a_row >= app.limits.wrongCodesInARow);
  const lines = [
    ...(user.is_disabled
      ? [`Closed by an administrator. To open it: firstproof user enable ${user.id} --tenant ${tenant.slug}`]
      : []),
    ...(closed
      ? [
          `${closed.value} takes no codes until its owner signs in another way, or: firstproof user reopen ${closed.value} --tenant ${tenant.slug}`,
        ]
      : []),
    ...unreachable.map(
      ({ recipient, channel, error }) =>
        `${recipient} is out of reach by ${channel} (${printable(error ?? 'no reason given')}). To try it again: firstproof delivery unreachable ${recipient} --forget --tenant ${tenant.slug}`,
    ),
  ];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
