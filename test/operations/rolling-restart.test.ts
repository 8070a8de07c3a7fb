import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { makeFolder, type Ran, type Serving, startServe } from '../cli/run-cli.ts';
import { createTestApp, TEST_SECRET, type TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';
import { createBalancer } from './balancer.ts';

const AUTH = '/api/v1/auth';
/** The whole requirement (R06): FIRSTPROOF_ROLLING_RESTARTS=20 npm test -- rolling-restart */
const RESTARTS = Number(process.env['FIRSTPROOF_ROLLING_RESTARTS'] ?? 2);
const PEOPLE = 12;
const PAUSE_MILLISECONDS = RESTARTS > 10 ? 5 : 20;

let app: TestApp;
let env: Record<string, string>;
const cwd = makeFolder();

before(async () => {
  // The people sign in here, by the present time; the servers under test share its databases and its secret.
  app = await createTestApp({ start: new Date() });
  const markets = ['us', 'uz'].map((name) => `${name}=${app.urls.get(name)}`);
  env = {
    DATABASE_URL: app.urls.get('control') ?? '',
    FIRSTPROOF_DATABASES: markets.join(','),
    FIRSTPROOF_SECRET: TEST_SECRET,
    FIRSTPROOF_PUBLIC_URL: 'https://auth.test',
    FIRSTPROOF_LOG_LEVEL: 'warn',
  };
});
after(async () => {
  await app.close();
  rmSync(cwd, { recursive: true, force: true });
});

const startServer = (): Promise<Serving> => startServe([], { cwd, env });

interface Load {
  requests: number;
  failures: string[];
}

/** One person who goes on using the site through the balancer. Every answer must be the right one. */
async function use(url: string, index: number, load: Load, goesOn: () => boolean): Promise<void> {
  const email = `rolling${index}@firstproof.dev`;
  let { access_token: token, refresh_token: refreshToken } = (await app.signIn({ email })).body;
  for (let turn = index; goesOn(); turn++) {
    const refreshes = turn % 5 === 0;
    const path = refreshes ? 'refresh' : turn % 5 === 1 ? 'me' : 'session';
    load.requests += 1;
    try {
      const answer = await fetch(`${url}${AUTH}/${path}`, {
        ...(refreshes ? { method: 'POST', body: JSON.stringify({ refresh_token: refreshToken }) } : {}),
        headers: {
          ...(refreshes ? { 'content-type': 'application/json' } : { authorization: `Bearer ${token}` }),
        },
      });
      const body = (await answer.json()) as Record<string, string>;
      if (answer.status !== 200) load.failures.push(`${path}: ${answer.status} ${JSON.stringify(body)}`);
      if (refreshes && answer.ok) [token, refreshToken] = [body['access_token'], body['refresh_token']];
    } catch (error) {
      load.failures.push(`${path}: ${String(error)}`);
    }
    await wait(PAUSE_MILLISECONDS);
  }
}

test(`R06 ${RESTARTS} rolling restarts of two servers under load behind a balancer: no request fails`, {
  timeout: 60_000 + RESTARTS * 15_000,
}, async () => {
  let servers: [Serving, Serving] = await Promise.all([startServer(), startServer()]);
  const balancer = await createBalancer(servers.map((server) => server.url));
  const load: Load = { requests: 0, failures: [] };
  let running = true;
  const people = Array.from({ length: PEOPLE }, (_, index) => use(balancer.url, index, load, () => running));
  try {
    await wait(300);
    for (let restart = 0; restart < RESTARTS; restart++) {
      const [leaving, staying] = servers;
      const began = performance.now();
      const { code, stderr } = await leaving.stop('SIGTERM');
      assert.equal(code, 0, stderr);
      assert.ok(performance.now() - began < 30_000, 'drained within thirty seconds');
      const started = await startServer();
      balancer.replace(leaving.url, started.url);
      servers = [staying, started];
      await until(() => balancer.isServing(started.url));
      await wait(300);
    }
  } finally {
    running = false;
    await Promise.all(people);
    await balancer.close();
    await Promise.all(servers.map((server) => server.stop('SIGTERM')));
  }
  assert.deepEqual(load.failures.slice(0, 5), []);
  const fewest = RESTARTS > 10 ? 1000 * RESTARTS : 50 * RESTARTS;
  assert.ok(load.requests >= fewest, `${load.requests} requests`);
});

test('R06 at a stop readiness fails first, connections are sent elsewhere, and a request in flight is finished', async () => {
  const server = await startServer();
  let ended: Promise<Ran> | undefined;
  try {
    const { body } = await app.signIn({ email: 'in-flight@firstproof.dev' });
    // Half of a request before the stop, the other half after the server listens no more.
    const text = JSON.stringify({ refresh_token: body.refresh_token });
    const headers = { 'content-type': 'application/json', 'content-length': String(text.length) };
    const slow = request(`${server.url}${AUTH}/refresh`, { method: 'POST', headers });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      slow.on('response', (answer) => resolve(answer.resume().statusCode)).on('error', reject);
    });
    slow.write(text.slice(0, 20));
    await wait(100);
    ended = server.stop('SIGTERM');
    await until(async () => (await fetch(`${server.url}/health/ready`)).status === 503);
    const token = String(body.access_token);
    const still = await fetch(`${server.url}${AUTH}/session`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(still.status, 200, 'it answers while the balancers find out');
    assert.equal(still.headers.get('connection'), 'close');
    await until(() =>
      fetch(`${server.url}/health/live`).then(
        () => false,
        () => true,
      ),
    );
    slow.end(text.slice(20));
    assert.equal(await answered, 200);
    assert.equal((await ended).code, 0);
  } finally {
    await (ended ?? server.stop('SIGTERM'));
  }
});
