import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { createDelivery, type Delivery } from '../../src/delivery/delivery.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createSecrets } from '../../src/kernel/secrets.ts';
import { createOutbox } from '../../src/outbox/outbox.ts';
import { TEST_SECRET } from '../create-test-app.ts';
import { createTestDatabase } from '../postgres-for-tests.ts';
import { tenantForDelivery } from './delivery-tenant.ts';
import { STEPS, type WorkerArguments } from './delivery-worker.ts';

/** The long form, `npm run test:crash -- delivery`, asks for 200 or more. */
const KILLS = Number(process.env['FIRSTPROOF_KILLS'] ?? 12);
/** A lease and a little: in each round the clock is so much more ahead. */
const ROUND_SECONDS = 31;
const QUEUED_EACH_ROUND = 4;
const CODE_SECONDS = 300;

interface Delivered {
  id: string;
  code: string;
  channel: string;
}

/** Takes messages as a provider does, and remembers them; every fourth number takes no SMS. */
async function startProvider() {
  const delivered: Delivered[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      const { to, ...message } = JSON.parse(text) as Delivered & { to: string };
      const isRefused = message.channel === 'sms' && Number(to) % 4 === 0;
      if (!isRefused) delivered.push(message);
      response.writeHead(isRefused ? 422 : 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { delivered, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function work(options: WorkerArguments): Promise<{ killed: boolean; stderr: string }> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'delivery-worker.ts'), JSON.stringify(options)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  return new Promise((resolve) => {
    child.on('close', (code, signal) =>
      resolve({ killed: signal === 'SIGKILL', stderr: code ? stderr : '' }),
    );
  });
}

test('R01 the worker is killed at each step: every code is delivered or expired, duplicates at most one a kill, always the same code', {
  timeout: (60 + KILLS * 20) * 1000,
}, async (context) => {
  const { url, drop } = await createTestDatabase();
  const { delivered, server, url: providerUrl } = await startProvider();
  let aheadSeconds = 0;
  const clock = { injected: true, now: () => new Date(Date.now() + aheadSeconds * 1000) };
  const options = { name: 'control', address: { url }, clock, maxConnections: 2, prepare: true };
  const database = createDatabase(options);
  context.after(async () => {
    server.close();
    await database.close();
    await drop();
  });
  const queueing = createQueueing(database);
  const codes = new Map<string, string>();
  let kills = 0;
  for (let round = 0; kills < KILLS; round++) {
    assert.ok(round < KILLS * 3, 'the steps are reached');
    for (let queued = 0; queued < QUEUED_EACH_ROUND; queued++) await queueing.queue(codes);
    // The leases of whoever wrote them, and of the last that was killed, are over.
    aheadSeconds += ROUND_SECONDS;
    // After each step in turn one lives: what is left to it must not only grow old.
    const step = STEPS[round % (STEPS.length + 1)] ?? null;
    const time = 1 + (round % 3);
    const args = { url, provider: providerUrl, secret: TEST_SECRET, aheadSeconds, step, time };
    const { killed, stderr } = await work(args);
    assert.equal(stderr, '');
    if (killed) kills += 1;
    // A statement that was on its way may still end.
    await wait(20);
  }
  for (let round = 0; round < 3; round++) {
    aheadSeconds += ROUND_SECONDS;
    await work({ url, provider: providerUrl, secret: TEST_SECRET, aheadSeconds, step: null, time: 0 });
  }

  const rows = await database.sql<{ id: string; state: string; wiped: boolean; expired: boolean }[]>`
    select id, state, payload_sealed is null as wiped, expires_at <= ${database.now()} as expired from messages`;
  const reached = new Set(delivered.map(({ id }) => id));
  const lost = rows.filter(({ id, state }) => !reached.has(id) && state !== 'abandoned');
  assert.deepEqual(lost, [], 'delivered or expired');
  assert.deepEqual(
    rows.filter(({ state, expired }) => state === 'abandoned' && !expired),
    [],
    'given up only once it has expired',
  );
  assert.ok(reached.size > rows.length / 2, `${reached.size} of ${rows.length} delivered`);
  assert.deepEqual(
    rows.filter(({ state }) => !['sent', 'abandoned', 'failed'].includes(state)),
    [],
    'nothing is stuck',
  );
  for (const { id, code } of delivered) assert.equal(code, codes.get(id), 'the same code');
  const duplicates = delivered.length - reached.size;
  assert.ok(duplicates <= kills, `${duplicates} duplicates by ${kills} kills`);
  const expired = rows.filter(({ id }) => !reached.has(id)).length;
  context.diagnostic(
    `${kills} kills, ${rows.length} codes: ${reached.size} delivered, ${expired} expired, ${duplicates} twice`,
  );
});

/** Writes messages as a request does, but leaves them to whoever claims them. */
function createQueueing(database: Database) {
  const delivery: Delivery = createDelivery({
    ...{ control: database, databases: [database], log: silentLog, concurrency: 1 },
    outbox: createOutbox(randomUUID()),
    providers: ['sms', 'voice'].map((channel) => ({
      name: channel,
      carries: (one: string) => one === channel,
      send: () => Promise.reject(new Error('not here')),
    })),
    secrets: createSecrets([TEST_SECRET]),
    random: () => 0,
    newId: randomUUID,
    tenantOf: () => tenantForDelivery,
  });
  let counter = 0;
  return {
    async queue(codes: Map<string, string>): Promise<void> {
      const code = String(100_000 + counter);
      const { sql } = database;
      const now = database.now();
      const { insert, id } = delivery.queue(sql, {
        ...{
          tenantId: tenantForDelivery.id,
          verificationId: null,
          tollsTaken: false,
          now,
          from: sql`(select 1) one`,
        },
        content: {
          ...{ template: 'sign_in_code', to: `+1415555${String(2000 + counter++)}`, channel: 'sms' },
          ...{ locale: 'en', tenantName: 'Crash', name: null, code, expiresIn: CODE_SECONDS },
        },
      });
      codes.set(id, code);
      await sql`with queued as (${insert}) select 1`;
    },
  };
}
