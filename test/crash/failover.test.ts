import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type postgres from 'postgres';
import { createDatabase } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createTestApp, TEST_SECRET, type TestApp } from '../create-test-app.ts';
import { POSTGRES_FOR_TESTS, TEMPLATE_DATABASE } from '../postgres-for-tests.ts';
import { wrongCodes } from '../race/started.ts';
import { findDamage, findLosses, goOn } from './check.ts';
import { newHistory } from './history.ts';
import { startLoad, untilServing } from './load.ts';
import { type StandbyPair, startStandbyPair } from './standby.ts';

let pair: StandbyPair;
let app: TestApp;
before(async () => {
  pair = await startStandbyPair();
  const sql = pair.connect('postgres');
  await sql.unsafe(`create database ${TEMPLATE_DATABASE}`);
  await sql.end();
  const address = { ...pair.address, database: TEMPLATE_DATABASE };
  const template = createDatabase({
    ...{ name: 'template', address, clock: systemClock, maxConnections: 1, prepare: true },
  });
  await migrate(template);
  await template.close();
  const { host, port, username, password } = pair.address;
  const url = `postgres://${username}:${password}@${host}:${port}/${TEMPLATE_DATABASE}`;
  process.env[POSTGRES_FOR_TESTS] = JSON.stringify({ ...address, url });
  app = await createTestApp({ env: { FIRSTPROOF_BUDGETS: 'relaxed' } });
});
after(async () => {
  // Where the test failed nobody may lead, and what waits for a leader is not waited for.
  await Promise.race([app?.close(), wait(5000)]).catch(() => {});
  await pair?.stop();
});

const AUTH = '/api/v1/auth';

test('R07 a standby takes over under load: nothing acknowledged is lost, and whoever asks meanwhile is told to come back', {
  timeout: 90_000,
}, async () => {
  const guessed = { email: 'guessed@firstproof.dev' };
  const sent = await app.post(`${AUTH}/send-verification`, guessed);
  const code = await app.code(guessed.email);
  const guess = (typed: string) =>
    app.post(`${AUTH}/verify-code`, { verification_id: sent.body.verification_id, code: typed });
  const guesses = wrongCodes(5, code);
  for (const typed of guesses.slice(0, 3)) assert.equal((await guess(typed)).status, 401);

  const history = newHistory();
  const load = startLoad(app.url, history, 6);
  while (history.acknowledged < 100) await wait(5);
  await pair.killLeader();
  const began = performance.now();
  const away = async (): Promise<void> => {
    const { status, body, headers } = await app.post(`${AUTH}/send-verification`, {
      email: 'meanwhile@firstproof.dev',
    });
    assert.deepEqual([status, body.error], [503, 'OVERLOADED'], JSON.stringify(body));
    assert.ok(Number(headers.get('retry-after')) >= 1);
    assert.equal((await app.get('/health/ready')).status, 503);
  };
  await away();
  await pair.leadToStandby();
  for (let moment = 0; moment < 10; moment++) {
    await away();
    await wait(50);
  }
  await pair.promote();
  const acknowledged = history.acknowledged;
  await untilServing(app.url);
  const took = performance.now() - began;
  assert.ok(took < 30_000, `${took} ms`);
  while (history.acknowledged < acknowledged + 50) await wait(5);
  const lives = await load.stop();

  for (const typed of guesses.slice(3))
    assert.equal((await guess(typed)).status, 401, 'the fourth and fifth');
  assert.equal((await guess(code)).status, 429, 'five in all, before and after');

  const databases = new Map<string, postgres.Sql>(
    [...app.urls].map(([market, url]) => [market, pair.connect(new URL(url).pathname.slice(1))]),
  );
  try {
    assert.deepEqual(await findLosses(databases, lives), []);
    assert.deepEqual(await goOn(app.url, databases, TEST_SECRET, lives), []);
    assert.deepEqual(await findDamage(databases), []);
    assert.deepEqual(history.wrong, []);
  } finally {
    await Promise.all([...databases.values()].map((sql) => sql.end()));
  }
});
