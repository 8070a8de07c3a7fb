import { type App, createApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import type { Databases } from '../db/databases.ts';
import { migrationState } from '../db/migrate.ts';
import { systemClock } from '../kernel/clock.ts';
import { developmentSecret } from './data-mode.ts';
import { lookAtDatabase } from './database-facts.ts';
import { CliError } from './errors.ts';
import { createReadableLog } from './log.ts';
import { openDatabases } from './open-databases.ts';
import { publicUrlOf } from './serve.ts';
import { version } from './version.ts';

/** What a command works with: the server's parts, loaded but not started. */
export interface Workbench {
  config: Config;
  app: App;
  publicUrl: string;
  databases: Databases;
}

/**
 * Gives a command the parts of the server on their databases, and closes everything afterwards. It works beside a
 * running server, which learns of changes through its feed, and without one.
 * @throws CliError where a database is away or not migrated; UnknownSecret where the secret is another deployment's
 */
export async function atWorkbench(config: Config, work: (bench: Workbench) => Promise<void>): Promise<void> {
  await withDatabases(config, false, async (databases) => {
    for (const database of databases.all()) {
      if ((await migrationState(database)).state !== 'behind') continue;
      throw new CliError(`Database "${database.name}" is not up to date. Run: firstproof migrate`);
    }
    const publicUrl = publicUrlOf(config);
    const app = await createApp({
      config,
      databases,
      secrets: config.secrets ?? [developmentSecret(config, 'secret')],
      publicUrl,
      clock: systemClock,
      log: createReadableLog('warn'),
      version,
    });
    try {
      await app.tenants.reload();
      await app.bots.reload();
      await app.telegramLogins.reload();
      // Opens the stored signing keys: with the wrong secret nothing that is made here would ever work.
      await Promise.all(databases.all().map((database) => app.keys.reload(database)));
      await work({ config, app, publicUrl, databases });
    } finally {
      await app.stop();
    }
  });
}

/** Opens the databases for one piece of work and lets go of them; `create` makes the embedded one where there is none. */
export async function withDatabases(
  config: Config,
  create: boolean,
  work: (databases: Databases) => Promise<void>,
): Promise<void> {
  const log = createReadableLog('warn');
  const { databases, release } = await openDatabases({ config, log, as: 'command', create });
  try {
    const looks = await Promise.all(databases.all().map(lookAtDatabase));
    const away = looks.filter((look) => !look.ok);
    if (away.length > 0) {
      throw new CliError(away.map((look) => `Database "${look.name}": ${look.problem}.`).join('\n'));
    }
    await work(databases);
  } finally {
    await databases.close();
    await release();
  }
}
