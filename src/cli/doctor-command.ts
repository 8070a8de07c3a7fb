import { createApp } from '../app.ts';
import { checkProviders } from './doctor-providers.ts';
import { checkTestAddresses } from './test-address-checks.ts';
import type { Config } from '../config/config.ts';
import type { Databases } from '../db/databases.ts';
import { hasEmbeddedCluster } from '../db/embedded/connect-to-running.ts';
import { migrationState } from '../db/migrate.ts';
import { systemClock } from '../kernel/clock.ts';
import { silentLog } from '../kernel/log.ts';
import { readConfiguration } from './configure.ts';
import { developmentSecret } from './data-mode.ts';
import { lookAtDatabase } from './database-facts.ts';
import {
  checkClock,
  checkConfiguration,
  checkConnections,
  checkDurability,
  checkNamedProviders,
  checkTenant,
  checkTolls,
  checkSpelling,
  checkVersion,
  type Finding,
} from './doctor-checks.ts';
import { examineDelivery } from './doctor-delivery.ts';
import { explainFault } from './explain-fault.ts';
import { openDatabases } from './open-databases.ts';
import { publicUrlOf } from './serve.ts';
import { json } from './table.ts';
import { version } from './version.ts';

/** `firstproof doctor`: everything that keeps this deployment from working well, with what to do. Exit 1 on a FAIL. */
export async function runDoctor(options: { development?: boolean; json?: boolean }): Promise<void> {
  const findings = await examine(options.development);
  process.stdout.write(options.json ? json(findings) : findings.map(line).join(''));
  if (findings.some((finding) => finding.level === 'fail')) process.exitCode = 1;
}

async function examine(development: boolean | undefined): Promise<Finding[]> {
  const whole = readConfiguration({ development, needs: 'server', followData: true });
  if (whole.ok) {
    const { config } = whole;
    const facts = await examineDatabases(config, true);
    return [
      ...checkConfiguration(config),
      ...checkSpelling(config.misspelt),
      ...checkProviders(config),
      ...facts,
    ];
  }
  const findings = whole.problems.map(
    ({ setting, message }): Finding => ({
      level: 'fail',
      subject: 'configuration',
      message: withoutEnd(message),
      remedy: `See ${setting} in docs/reference/configuration.md.`,
    }),
  );
  const part = readConfiguration({ development, needs: 'databases', followData: true });
  return part.ok ? [...findings, ...(await examineDatabases(part.config, false))] : findings;
}

async function examineDatabases(config: Config, complete: boolean): Promise<Finding[]> {
  if (config.databaseUrl === undefined && !hasEmbeddedCluster(config.dataDirectory)) {
    const message = `none in ${config.dataDirectory} yet; the first start makes it`;
    return [{ level: 'ok', subject: 'database', message }];
  }
  try {
    const { databases, release } = await openDatabases({ config, log: silentLog, as: 'command' });
    try {
      const findings = await examineEach(config, databases);
      const healthy = findings.every((finding) => finding.level !== 'fail');
      return healthy && complete ? [...findings, ...(await examineTenants(config, databases))] : findings;
    } finally {
      await databases.close();
      await release();
    }
  } catch (fault) {
    return [{ level: 'fail', subject: 'database', message: withoutEnd(explainFault(fault).message) }];
  }
}

async function examineEach(config: Config, databases: Databases): Promise<Finding[]> {
  const looks = await Promise.all(databases.all().map(lookAtDatabase));
  const facts = looks.flatMap((look) => (look.ok ? look.facts : []));
  const away = looks.flatMap((look): Finding[] =>
    look.ok ? [] : [{ level: 'fail', subject: `database ${look.name}`, message: look.problem }],
  );
  const each = await Promise.all(
    facts.map(async (one) => [
      checkVersion(one),
      checkDurability(one, config.unsafeDurability),
      checkClock(one),
      await checkMigrations(databases.of(one.name === 'control' ? null : one.name)),
    ]),
  );
  return [...away, ...each.flat(), ...checkConnections(facts, config.databaseConnections)];
}

async function checkMigrations(database: Databases['control']): Promise<Finding> {
  const subject = `database ${database.name}`;
  const state = await migrationState(database);
  switch (state.state) {
    case 'current':
      return { level: 'ok', subject, message: `migrations up to date (${state.version})` };
    case 'behind':
      return {
        level: 'fail',
        subject,
        message: `lacks ${state.missing.length} migration${state.missing.length === 1 ? '' : 's'}`,
        remedy: 'Run: firstproof migrate (a server does it when it starts).',
      };
    case 'ahead':
      return {
        level: 'warn',
        subject,
        message: `is at migration ${state.version}, newer than this version`,
        remedy: 'Update Firstproof here.',
      };
    case 'changed':
      return {
        level: 'fail',
        subject,
        message: `has applied another text of migration ${state.migration.number} (${state.migration.name})`,
        remedy: 'Restore the file of that release.',
      };
  }
}

async function examineTenants(config: Config, databases: Databases): Promise<Finding[]> {
  const app = await createApp({
    config,
    databases,
    secrets: config.secrets ?? [developmentSecret(config, 'secret')],
    publicUrl: publicUrlOf(config),
    clock: systemClock,
    log: silentLog,
    version,
  });
  await app.tenants.reload();
  const findings: Finding[] = [];
  try {
    await Promise.all(databases.all().map((database) => app.keys.reload(database)));
    findings.push({ level: 'ok', subject: 'signing keys', message: 'open with this secret' });
  } catch (fault) {
    findings.push({
      level: 'fail',
      subject: 'signing keys',
      message: withoutEnd(explainFault(fault).message),
    });
  }
  const names = new Set(databases.all().map((database) => database.name));
  const tenants = app.tenants.all();
  if (tenants.length === 0) {
    findings.push({ level: 'ok', subject: 'tenants', message: 'none yet; the first start makes "default"' });
  }
  findings.push(...(await examineDelivery(app.delivery, databases)));
  return [
    ...findings,
    ...tenants.flatMap((tenant) => [
      ...checkTenant(tenant, names, (channel) => app.delivery.offers(channel, tenant)),
      ...checkNamedProviders(tenant, app.delivery.providerNames),
      ...checkTolls(tenant, config.mode, (channel) => app.delivery.offers(channel, tenant)),
      ...checkTestAddresses(tenant, systemClock.now()),
    ]),
  ];
}

function line({ level, subject, message, remedy }: Finding): string {
  const word = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' }[level];
  return `${word}  ${subject}: ${message}${remedy === undefined ? '' : `\n      ${remedy}`}\n`;
}

function withoutEnd(message: string): string {
  return message.replace(/\.$/, '');
}
