import type { Config } from '../config/config.ts';
import type { Anchor, Break } from '../audit/audit.ts';
import { CliError } from './errors.ts';
import { printableJson } from './printable.ts';
import { json } from './table.ts';
import { existing } from './tenant-command.ts';
import { atWorkbench } from './workbench.ts';

const PROBLEMS: Record<Break['problem'], string> = {
  missing: 'an event is missing here',
  edited: 'this event is not what it was when it was chained',
  order_changed: 'this event does not follow the one before it',
  erased_untold: 'personal data was removed here without an event that tells of it',
  end_cut: 'the chain ends before the anchor: its end was cut off, or an older backup was restored',
  head_forged: 'the end of the chain was not sealed by this deployment',
  other_history: 'the anchor names another event at this place: the chain was made anew',
};

/** `firstproof audit verify`: exit code 1 when a chain is broken. */
export async function verifyAudit(
  config: Config,
  options: { tenant?: string; anchor?: string; json?: boolean },
): Promise<void> {
  const anchor = options.anchor === undefined ? undefined : readAnchor(options.anchor);
  if (anchor && options.tenant === undefined) {
    throw new CliError('An anchor belongs to one tenant: give --tenant as well.', 2);
  }
  await atWorkbench(config, async ({ app, databases }) => {
    const tenants =
      options.tenant === undefined ? app.tenants.all() : [existing(app.tenants, options.tenant)];
    const results = [];
    for (const tenant of tenants) {
      const database = databases.of(tenant.database);
      await app.audit.chain(database);
      const found = await app.audit.verify(database, tenant.id, anchor);
      results.push({
        tenant: tenant.slug,
        events: found.events,
        head: `${found.head.position}:${found.head.hash}`,
        pruned_through: Number(found.prunedThrough),
        unchained: found.unchained,
        broken: found.broken ? { ...found.broken, position: Number(found.broken.position) } : null,
      });
    }
    if (options.json) process.stdout.write(json(results));
    else {
      for (const { tenant, events, head, broken, pruned_through: pruned } of results) {
        const kept = pruned > 0 ? `, after ${pruned} that the retention removed` : '';
        process.stdout.write(
          broken
            ? `BROKEN ${tenant}: position ${broken.position}${broken.id === null ? '' : `, event ${broken.id}`}: ${PROBLEMS[broken.problem]}\n`
            : `whole  ${tenant}: ${events} events${kept}. Anchor: ${head}\n`,
        );
      }
    }
    if (results.some(({ broken }) => broken !== null)) process.exitCode = 1;
  });
}

/** `firstproof audit export`: JSON Lines on standard output, read in batches however long the trail is. */
export async function exportAudit(
  config: Config,
  options: { tenant: string; since?: string },
): Promise<void> {
  const since = options.since === undefined ? undefined : new Date(options.since);
  if (since && Number.isNaN(since.getTime())) {
    throw new CliError('--since takes a moment such as 2026-01-31 or 2026-01-31T12:00:00Z.', 2);
  }
  await atWorkbench(config, async ({ app, databases }) => {
    const tenant = existing(app.tenants, options.tenant);
    const database = databases.of(tenant.database);
    await app.audit.chain(database);
    for await (const line of app.audit.export(database, tenant.id, since)) {
      if (!process.stdout.write(`${printableJson(line)}\n`)) {
        await new Promise((resolve) => process.stdout.once('drain', resolve));
      }
    }
  });
}

function readAnchor(text: string): Anchor {
  const [, position, hash] = /^(\d{1,18}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (position === undefined || hash === undefined) {
    throw new CliError('An anchor looks like 1234:<64 hexadecimal digits>, as audit verify prints it.', 2);
  }
  return { position: BigInt(position), hash };
}
