import { createServer, type Server } from 'node:http';
import { createApp, type App } from '../app.ts';
import type { Config } from '../config/config.ts';
import { migrate } from '../db/migrate.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { newApiKeyText } from '../tenants/tenants.ts';
import { banner } from './banner.ts';
import { checkDurability } from './doctor-checks.ts';
import { CliError } from './errors.ts';
import { DEVELOPMENT_MARKETS, developmentSecret, openDatabases } from './open-databases.ts';
import { seedDevelopment } from './seed-development.ts';

/** Load balancers look every second or so: this long they may see that we are going, before we go. */
const READINESS_LEAD_MILLISECONDS = 2000;

/** Runs a server until it is told to stop: databases, migrations, seed, listen, and a stop in the reverse order. */
export async function serve(config: Config, log: Log, version: string): Promise<void> {
  const startedAt = performance.now();
  const development = config.mode === 'development';
  const opened = await openDatabases(config, systemClock, log);
  const { databases } = opened;
  let app: App | undefined;
  try {
    await Promise.all(databases.all().map((database) => migrate(database)));
    await refuseUnsafeDurability(config, databases.all(), log);
    const secrets = config.secrets ?? [developmentSecret(config, 'secret')];
    const publicUrl = config.publicUrl ?? `http://${displayHost(config.host)}:${config.port}`;
    app = await createApp({ config, databases, secrets, publicUrl, clock: systemClock, log, version });
    let apiKey: string | undefined;
    if (development) {
      const names = new Set(
        DEVELOPMENT_MARKETS.filter((name) => databases.all().some((one) => one.name === name)),
      );
      await seedDevelopment(app.tenants, names);
      apiKey = developmentSecret(config, 'api-key', newApiKeyText);
      await app.apiKeys.ensure({ tenantId: null, name: 'development', scopes: ['admin'], text: apiKey });
    }
    await app.start();
    const address = await app.server.listen({ host: config.host, port: config.port });
    const management = await startManagement(config, app);
    const port = Number(new URL(address).port);
    const url = config.publicUrl ?? `http://${displayHost(config.host)}:${port}`;
    if (development) {
      const milliseconds = Math.round(performance.now() - startedAt);
      process.stdout.write(
        banner({ url, database: opened.description, apiKey: apiKey ?? '', version, milliseconds }),
      );
    } else {
      log.info({ event: 'listening', port, version }, `Firstproof ${version} listens on ${address}`);
    }
    await untilStopped();
    log.info({ event: 'stopping' }, 'stopping: readiness fails, then requests in flight finish');
    app.beginStop();
    if (!development) await new Promise((resolve) => setTimeout(resolve, READINESS_LEAD_MILLISECONDS));
    management?.close();
    await app.stop();
    await opened.embedded?.stop();
    log.info({ event: 'stopped' }, 'stopped');
  } catch (fault) {
    await app?.stop().catch(() => {});
    await opened.close().catch(() => {});
    throw listenFault(fault, config);
  }
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

function listenFault(fault: unknown, config: Config): unknown {
  const code = (fault as { code?: unknown }).code;
  if (code === 'EADDRINUSE') {
    return new CliError(
      `Port ${config.port} is taken. Stop the program that uses it, or choose another: PORT=3001`,
    );
  }
  if (code === 'EACCES') {
    return new CliError(`Port ${config.port} needs more rights. Choose one above 1024: PORT=3000`);
  }
  return fault;
}

async function refuseUnsafeDurability(
  config: Config,
  databases: Parameters<typeof checkDurability>[0],
  log: Log,
): Promise<void> {
  const unsafe = await checkDurability(databases);
  if (unsafe.length === 0) return;
  if (!config.unsafeDurability) {
    throw new CliError(
      `${unsafe.join('\n')}\nAcknowledged sign-ups could be lost. Switch it on, ` +
        'or set FIRSTPROOF_ALLOW_UNSAFE_DURABILITY=true where losing them is acceptable.',
    );
  }
  for (const sentence of unsafe) log.warn({ event: 'unsafe_durability' }, sentence);
}

/** Metrics and health on a port of their own, when one is configured. */
async function startManagement(config: Config, app: App): Promise<Server | undefined> {
  if (config.managementPort === undefined) return undefined;
  const server = createServer((request, response) => {
    void answerManagement(app, request.url ?? '/').then(({ status, type, text }) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(config.managementPort, config.host, resolve);
  });
  return server;
}

async function answerManagement(
  app: App,
  url: string,
): Promise<{ status: number; type: string; text: string }> {
  const json = 'application/json; charset=utf-8';
  switch (url) {
    case '/metrics': {
      const { contentType, text } = await app.metrics.render();
      return { status: 200, type: contentType, text };
    }
    case '/health/live':
      return { status: 200, type: json, text: '{"status":"ok"}' };
    case '/health/ready': {
      const ready = await app.ready();
      return { status: ready ? 200 : 503, type: json, text: `{"status":"${ready ? 'ok' : 'unavailable'}"}` };
    }
    default:
      return { status: 404, type: json, text: '{"status":"not found"}' };
  }
}

function displayHost(host: string): string {
  return host === '0.0.0.0' || host === '::' || host === '127.0.0.1' ? 'localhost' : host;
}
