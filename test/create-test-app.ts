import { setTimeout as wait } from 'node:timers/promises';
import { type App, createApp } from '../src/app.ts';
import { loadConfig } from '../src/config/config.ts';
import { createDatabases, type Databases } from '../src/db/databases.ts';
import { seedDevelopment } from '../src/cli/seed-development.ts';
import { createManualClock, type ManualClock } from '../src/kernel/clock.ts';
import { type Log, silentLog } from '../src/kernel/log.ts';
import type { Provider, SmtpOptions } from '../src/delivery/delivery.ts';
import type { Pace } from '../src/telegram/telegram.ts';
import type { TenantSettings } from '../src/tenants/tenants.ts';
import { createTestDatabase, type TestAddress } from './postgres-for-tests.ts';

export const TEST_SECRET = 'kX3pQ8vT1zLw7RmN5sJ2hB9cYd4gF6aEuW0oPiVq';

/** An answer read whole. `body` is whatever JSON came; tests say what they expect of it. */
export interface Answer {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are checked field by field
  body: any;
}

export interface RequestOptions {
  token?: string | undefined;
  headers?: Record<string, string>;
  /** The caller's address: each test request may come from another. */
  from?: string;
}

export interface TestAppOptions {
  /** Settings as environment variables. */
  env?: Record<string, string>;
  /** Settings of the tenants by slug, over the seeded ones. */
  tenants?: Record<string, TenantSettings>;
  /** The address people reach it by, https://auth.test unless told otherwise. */
  publicUrl?: string;
  /** The port to listen on; left out: any. */
  port?: number;
  /** Start of the injected clock. */
  start?: Date;
  providers?: readonly Provider[];
  /** How configured providers are reached. */
  fetch?: typeof fetch;
  providerTimeoutMilliseconds?: number;
  smtp?: Partial<SmtpOptions>;
  telegramPublicKey?: string;
  log?: Log;
  /** Secrets before the usual one, as after a rotation. */
  secrets?: readonly string[];
  /** How fast the bot may speak to a Telegram that is not the real one. */
  telegramPace?: Pace;
  /** Another way to each database, such as through a proxy that can be cut. */
  route?: (address: TestAddress) => TestAddress;
}

export interface TestApp {
  url: string;
  app: App;
  clock: ManualClock;
  databases: Databases;
  /** Connection URLs of the test databases, by name. */
  urls: ReadonlyMap<string, string>;
  request(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  get(path: string, options?: RequestOptions): Promise<Answer>;
  post(path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  /** The newest code in the inbox for an address; waits until one newer than message `after` has been delivered. */
  code(to: string, options?: { not?: string; after?: string | undefined }): Promise<string>;
  /** The id of the newest message for an address. */
  newestMessage(to: string): Promise<string | undefined>;
  /** Sends and proves: a whole sign-in. */
  signIn(
    address: { phone: string } | { email: string },
    more?: Record<string, unknown>,
    options?: RequestOptions,
  ): Promise<Answer>;
  apiKey: string;
  /** Another server process' worth of app on the same databases. */
  replica(options?: Partial<TestAppOptions>): Promise<TestApp>;
  close(): Promise<void>;
}

/** A whole server on fresh databases (control, us, uz), with an injected clock, listening on a real port. */
export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const clock = createManualClock(options.start ?? new Date('2026-03-01T12:00:00.000Z'));
  const [control, us, uz] = await Promise.all([
    createTestDatabase(),
    createTestDatabase(),
    createTestDatabase(),
  ]);
  const urls = new Map([
    ['control', control.url],
    ['us', us.url],
    ['uz', uz.url],
  ]);
  const open = (route: NonNullable<TestAppOptions['route']> = (address) => address): Databases =>
    createDatabases({
      control: route(control.address),
      markets: new Map([
        ['us', route(us.address)],
        ['uz', route(uz.address)],
      ]),
      clock,
      maxConnections: 6,
      prepare: true,
    });
  const first = await build(options, clock, open, urls);
  return {
    ...first,
    async close() {
      await first.close();
      await Promise.all([control.drop(), us.drop(), uz.drop()]);
    },
  };
}

async function build(
  options: TestAppOptions,
  clock: ManualClock,
  open: (route?: TestAppOptions['route']) => Databases,
  urls: ReadonlyMap<string, string>,
): Promise<TestApp> {
  const sends = options.env?.['FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR'];
  const loaded = loadConfig({
    env: {
      FIRSTPROOF_MODE: 'development',
      FIRSTPROOF_TRUSTED_PROXIES: '127.0.0.1/32',
      // A machine that is busy with other tests refuses nobody.
      FIRSTPROOF_LONGEST_QUEUE_MILLISECONDS: '60000',
      // A test that sends more than most asks for no challenge either, unless it says so.
      ...(sends === undefined ? {} : { FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: sends }),
      ...options.env,
    },
  });
  if (!loaded.ok) throw new Error(loaded.problems.map((problem) => problem.message).join('\n'));
  const databases = open(options.route);
  const app = await createApp({
    config: loaded.config,
    databases,
    secrets: [...(options.secrets ?? []), TEST_SECRET],
    publicUrl: options.publicUrl ?? 'https://auth.test',
    clock,
    log: options.log ?? silentLog,
    version: 'test',
    beatMilliseconds: 100,
    ...(options.providers ? { providers: options.providers } : {}),
    ...(options.fetch ? { fetch: options.fetch } : {}),
    ...(options.providerTimeoutMilliseconds === undefined
      ? {}
      : { providerTimeoutMilliseconds: options.providerTimeoutMilliseconds }),
    ...(options.smtp ? { smtp: options.smtp } : {}),
    ...(options.telegramPublicKey ? { telegramPublicKey: options.telegramPublicKey } : {}),
    ...(options.telegramPace ? { telegramPace: options.telegramPace } : {}),
  });
  await seedDevelopment(app.tenants, new Set(['us', 'uz']));
  for (const [slug, settings] of Object.entries(options.tenants ?? {})) {
    const tenant = app.tenants.bySlug(slug);
    if (!tenant) throw new Error(`no seeded tenant ${slug}`);
    await app.tenants.update(tenant, { settings: { ...tenant.settings, ...settings } });
  }
  const { text: apiKey } = await app.apiKeys.create({ tenantId: null, name: 'test', scopes: ['admin'] });
  await app.start();
  const url = await app.server.listen({ host: '127.0.0.1', port: options.port ?? 0 });

  const test: TestApp = {
    url,
    app,
    clock,
    databases,
    urls,
    apiKey,
    async request(method, path, body, { token, headers, from } = {}) {
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(from === undefined ? {} : { 'x-forwarded-for': from }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? undefined : JSON.parse(text),
      };
    },
    get: (path, more) => test.request('GET', path, undefined, more),
    post: (path, body, more) => test.request('POST', path, body, more),
    async newestMessage(to) {
      const { body } = await test.get(`/dev/messages?to=${encodeURIComponent(to)}&limit=1`);
      return body[0]?.id as string | undefined;
    },
    async code(to, { not, after } = {}) {
      for (let attempt = 0; attempt < 200; attempt++) {
        const { body } = await test.get(`/dev/messages?to=${encodeURIComponent(to)}&limit=10`);
        const messages = body as { id: string; code: string | null }[];
        const known = messages.findIndex(({ id }) => id === after);
        const newer = known < 0 ? messages : messages.slice(0, known);
        // A notice may have come after it.
        const code = newer.find((message) => message.code !== null)?.code;
        if (code && code !== not) return code;
        await wait(10);
      }
      throw new Error(`no code for ${to} arrived in the inbox`);
    },
    async signIn(address, more = {}, requestOptions = {}) {
      const to = 'phone' in address ? address.phone : address.email;
      const before = await test.newestMessage(to);
      const sent = await test.post('/api/v1/auth/send-verification', address, requestOptions);
      if (sent.status !== 200) throw new Error(`send-verification: ${JSON.stringify(sent.body)}`);
      const code = await test.code(to, { after: before });
      const body = { verification_id: sent.body.verification_id, code, ...more };
      return test.post('/api/v1/auth/verify-code', body, requestOptions);
    },
    replica: (more = {}) => build({ ...options, port: 0, ...more, tenants: {} }, clock, open, urls),
    close: () => app.stop(),
  };
  return test;
}
