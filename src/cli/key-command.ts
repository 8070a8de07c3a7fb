import type { Config } from '../config/config.ts';
import { isUuid } from '../kernel/id.ts';
import { type ApiKeyScope, apiKeyScopes } from '../tenants/tenants.ts';
import { CliError } from './errors.ts';
import { json, table } from './table.ts';
import { existing } from './tenant-command.ts';
import { atWorkbench } from './workbench.ts';

export interface NewKeyOptions {
  name: string;
  scope?: string[];
  tenant?: string;
  json?: boolean;
}

/** `firstproof key create`: the text alone goes to standard output, so that a script can keep it. */
export async function createKey(config: Config, options: NewKeyOptions): Promise<void> {
  const scopes = (options.scope ?? []).map((scope): ApiKeyScope => {
    const known = apiKeyScopes.find((one) => one === scope);
    if (known) return known;
    throw new CliError(`There is no scope "${scope}". There are: ${apiKeyScopes.join(', ')}`, 2);
  });
  if (scopes.length === 0) throw new CliError(`Give at least one --scope of: ${apiKeyScopes.join(', ')}`, 2);
  await atWorkbench(config, async ({ app }) => {
    const tenant = options.tenant === undefined ? undefined : existing(app.tenants, options.tenant);
    const name = options.name;
    const { id, text } = await app.apiKeys.create({ tenantId: tenant?.id ?? null, name, scopes });
    if (options.json) {
      process.stdout.write(json({ id, name, tenant: tenant?.slug ?? null, scopes, key: text }));
      return;
    }
    process.stderr.write('This is shown once and not kept. Store it now:\n');
    process.stdout.write(`${text}\n`);
  });
}

/** `firstproof key list` */
export async function listKeys(config: Config, options: { json?: boolean }): Promise<void> {
  await atWorkbench(config, async ({ app }) => {
    const keys = (await app.apiKeys.list()).map((key) => ({
      id: key.id,
      name: key.name,
      tenant: key.tenantId === null ? null : (app.tenants.byId(key.tenantId)?.slug ?? key.tenantId),
      scopes: key.scopes,
      created_at: key.createdAt.toISOString(),
      last_used_at: key.lastUsedAt?.toISOString() ?? null,
      revoked_at: key.revokedAt?.toISOString() ?? null,
    }));
    const rows = keys.map((key) => [
      key.id,
      key.name,
      key.tenant ?? '(all)',
      key.scopes.join(' '),
      minute(key.created_at),
      minute(key.last_used_at),
      minute(key.revoked_at),
    ]);
    process.stdout.write(
      options.json
        ? json(keys)
        : table(['id', 'name', 'tenant', 'scopes', 'created', 'last used', 'revoked'], rows),
    );
  });
}

/** `firstproof key revoke <id>` */
export async function revokeKey(config: Config, id: string): Promise<void> {
  if (!isUuid(id)) throw new CliError(`"${id}" is no id of a key. The ids are in: firstproof key list`, 2);
  await atWorkbench(config, async ({ app }) => {
    if (!(await app.apiKeys.revoke(id))) {
      throw new CliError('There is no living key of this id. The ids are in: firstproof key list');
    }
    process.stdout.write('Revoked. Running servers refuse it within five seconds.\n');
  });
}

function minute(at: string | null): string {
  return at === null ? '' : at.slice(0, 16).replace('T', ' ');
}
