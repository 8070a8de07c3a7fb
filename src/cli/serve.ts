import { type App, createApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../db/database.ts';
import { migrate, migrationState } from '../db/migrate.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { newApiKeyText } from '../tenants/tenants.ts';
import { banner } from './banner.ts';
import { developmentSecret } from './data-mode.ts';
import { lookAtDatabase } from './database-facts.ts';
import {
  checkDurability,
  checkNamedProviders,
  checkSpelling,
  checkTenant,
  checkVersion,
  type Finding,
} from './doctor-checks.ts';
import { CliError } from './errors.ts';
import { makeFirstTenant } from './first-tenant.ts';
import { startManagement } from './management-port.ts';
import { checkTestAddresses } from './test-address-checks.ts';
import { DEVELOPMENT_MARKETS, openDatabases } from './open-databases.ts';
import { seedDevelopment } from './seed-development.ts';

/** Load balancers look every second or so: this long they may see that we are going, before we go. */
const READINESS_LEAD_MILLISECONDS = 2000;

/** Runs a server until it is told to stop: databases, migrations, seed, listen, and a stop in the reverse order. */
export async function serve(config: Config, log: Log, version: string): Promise<void> {
  const startedAt = performance.now();
  // From here on, so that a stop during a long start still stops the embedded PostgreSQL.
  const stopped = untilStopped();
  const development = config.mode === 'development';
  const { databases, description, release } = await openDatabases({ config, log, as: 'server' });
  let app: App | undefined;
  try {
    await prepareDatabases(config, databases.all(), log);
    const secrets = config.secrets ?? [developmentSecret(config, 'secret')];
    const publicUrl = publicUrlOf(config);
    app = await createApp({ config, databases, secrets, publicUrl, clock: systemClock, log, version });
    const apiKey = development ? await seed(config, app, databases.all()) : undefined;
    if (!development && (await makeFirstTenant(app.tenants))) {
      const remedy = 'Name it: firstproof tenant set default name="…"';
      log.info({ event: 'first_tenant', tenant: 'default' }, `the tenant "default" was made. ${remedy}`);
    }
    await app.start();
    logWarnings(checkSpelling(config.misspelt), log);
    warnOfTenants(app, databases.all(), log);
    const address = await app.server.listen({ host: config.host, port: config.port });
    const management = await startManagement(config, app);
    const port = Number(new URL(address).port);
    if (development) {
      const url = config.publicUrl ?? `http://${displayHost(config.host)}:${port}`;
      const milliseconds = Math.round(performance.now() - startedAt);
      const warnings = app.tenants
        .all()
        .flatMap((tenant) => checkTestAddresses(tenant, systemClock.now()))
        .map(({ message, remedy }) => `${message}.\n     ${remedy ?? ''}`);
      process.stdout.write(
        banner({ url, database: description, apiKey: apiKey ?? '', version, milliseconds, warnings }),
      );
    } else {
      log.info({ event: 'listening', port, version }, `Firstproof ${version} listens on ${address}`);
    }
    await stopped;
    log.info({ event: 'stopping' }, 'stopping: readiness fails, then requests in flight finish');
    app.beginStop();
    if (!development) await new Promise((resolve) => setTimeout(resolve, READINESS_LEAD_MILLISECONDS));
    management?.close();
    await app.stop();
    await release();
    log.info({ event: 'stopped' }, 'stopped');
  } catch (fault) {
    await app?.stop().catch(() => {});
    await databases.close().catch(() => {});
    await release().catch(() => {});
    throw fault;
  }
}

/** The address in links and tokens; development without one is reached where it listens. */
export function publicUrlOf(config: Config): string {
  return config.publicUrl ?? `http://${displayHost(config.host)}:${config.port}`;
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    const stop = (): void => {
      if (++signals > 1) process.exit(130);
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}

/** Refuses databases that are away, too old or forgetful, then brings each up to date. */
async function prepareDatabases(config: Config, databases: readonly Database[], log: Log): Promise<void> {
  const looks = await Promise.all(databases.map(lookAtDatabase));
  const findings = looks.flatMap((look): Finding[] =>
    look.ok
      ? [checkVersion(look.facts), checkDurability(look.facts, config.unsafeDurability)]
      : [{ level: 'fail', subject: `database ${look.name}`, message: `cannot be used: ${look.problem}` }],
  );
  const failures = findings.filter((finding) => finding.level === 'fail');
  if (failures.length > 0) throw new CliError(failures.map(sentence).join('\n'));
  logWarnings(findings, log);
  await Promise.all(databases.map((database) => bringUpToDate(database, log)));
}

async function bringUpToDate(database: Database, log: Log): Promise<void> {
  const state = await migrationState(database);
  if (state.state === 'ahead') {
    // A rolling update: a newer server has migrated, and what it added does not disturb this one.
    log.warn(
      { event: 'migrations_ahead', database: database.name },
      `the database is at migration ${state.version}, newer than this server: update it`,
    );
  } else if (state.state === 'changed') {
    const { number, name } = state.migration;
    throw new CliError(
      `Migration ${number} (${name}) was changed after database "${database.name}" had applied it. ` +
        'Restore the file of that release; changes go into a new migration.',
    );
  } else if (state.state === 'behind') {
    await migrate(database);
  }
}

async function seed(config: Config, app: App, databases: readonly Database[]): Promise<string> {
  const open = DEVELOPMENT_MARKETS.filter((name) => databases.some((one) => one.name === name));
  await seedDevelopment(app.tenants, new Set(open));
  const apiKey = developmentSecret(config, 'api-key', newApiKeyText);
  await app.apiKeys.ensure({ tenantId: null, name: 'development', scopes: ['admin'], text: apiKey });
  return apiKey;
}

function warnOfTenants(app: App, databases: readonly Database[], log: Log): void {
  const names = new Set(databases.map((database) => database.name));
  logWarnings(
    app.tenants
      .all()
      .flatMap((tenant) => [
        ...checkTenant(tenant, names, (channel) => app.delivery.offers(channel, tenant)),
        ...checkNamedProviders(tenant, app.delivery.providerNames),
        ...checkTestAddresses(tenant, systemClock.now()),
      ]),
    log,
  );
}

function logWarnings(findings: readonly Finding[], log: Log): void {
  for (const finding of findings) {
    if (finding.level === 'warn') log.warn({ event: 'warning' }, sentence(finding));
  }
}

function sentence({ subject, message, remedy }: Finding): string {
  return `${subject}: ${message}.${remedy === undefined ? '' : ` ${remedy}`}`;
}

function displayHost(host: string): string {
  return host === '0.0.0.0' || host === '::' || host === '127.0.0.1' ? 'localhost' : host;
}
