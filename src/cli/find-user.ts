import type { DirectoryRow } from '../accounts/accounts.ts';
import type { Actor } from '../accounts/accounts.ts';
import type { Tenant } from '../tenants/tenants.ts';
import { CliError } from './errors.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';
import { existing } from './tenant-command.ts';
import type { Workbench } from './workbench.ts';

/** Whoever works at the terminal. */
export const OPERATOR: Actor = { actor: 'system', caller: undefined };

export interface Found {
  tenant: Tenant;
  user: DirectoryRow;
}

/**
 * The one account that somebody means by an address, a username, an id or a name, in the named tenant or in all.
 * @throws CliError that lists them where there are several, and says how to look where there is none
 */
export async function findUser(
  { app }: Workbench,
  who: string,
  options: { tenant?: string },
): Promise<Found> {
  const tenants = options.tenant === undefined ? app.tenants.all() : [existing(app.tenants, options.tenant)];
  const found: Found[] = [];
  for (const tenant of tenants) {
    const users = await app.accounts.search(tenant, { text: who, limit: 10 });
    found.push(...users.map((user) => ({ tenant, user })));
  }
  const [one, another] = found;
  if (one && !another) return one;
  if (one) {
    const rows = found.map(({ tenant, user }) => [tenant.slug, user.id, nameOf(user), addressesOf(user)]);
    throw new CliError(
      `Several accounts fit "${who}". Name one by its id:\n\n${table(['tenant', 'id', 'name', 'addresses'], rows)}`,
    );
  }
  const where = options.tenant === undefined ? 'No tenant has' : `"${options.tenant}" has no`;
  throw new CliError(
    `${where} ${options.tenant === undefined ? 'an ' : ''}account "${who}". Give a phone with its country code, an e-mail address, ` +
      `a Telegram user id, a username or an id; or look around: firstproof user list`,
  );
}

export function nameOf(user: DirectoryRow): string {
  return printable([user.first_name, user.last_name].filter((part) => part !== null).join(' '));
}

export function addressesOf(user: DirectoryRow): string {
  return user.identities
    .map(({ kind, value }) => (kind === 'telegram' ? `telegram:${value}` : value))
    .join(' ');
}

export function stateOf(user: DirectoryRow): string {
  return user.is_disabled
    ? 'closed'
    : user.is_active
      ? 'signed in'
      : user.is_verified
        ? 'signed out'
        : 'unproved';
}

/** A moment as people compare moments: to the minute, UTC. */
export function minute(moment: Date | null): string {
  return moment ? `${moment.toISOString().slice(0, 16).replace('T', ' ')}` : 'never';
}
