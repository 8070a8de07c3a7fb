import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';
import { createTestProvider, refuses, sends, type TestProvider } from './test-provider.ts';

const AUTH = '/api/v1/auth';

let app: TestApp;
let first: TestProvider;
let second: TestProvider;
let voice: TestProvider;
let counter = 0;

before(async () => {
  first = createTestProvider(sends, { name: 'first' });
  second = createTestProvider(sends, { name: 'second' });
  voice = createTestProvider(sends, { name: 'voice', channels: ['voice'] });
  app = await createTestApp({
    env: { FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '100000' },
    providers: [first, second, voice],
    tenants: {
      us: {
        channels: ['sms', 'voice'],
        delivery: {
          routes: { default: ['sms', 'voice'] },
          order: 'fastest',
          prices: { first: { US: 0.01 }, second: { default: 0.02 }, voice: { default: 0.1 } },
        },
      },
    },
  });
});
after(() => app.close());

/** Sends a code; it is used `seconds` after, or never. @returns which providers were given it */
async function live(seconds: number | undefined): Promise<string[]> {
  const phone = `+1415555${String(2000 + counter++)}`;
  const { status, body } = await app.post(
    `${AUTH}/send-verification`,
    { phone },
    { from: `10.7.0.${counter}` },
  );
  assert.equal(status, 200, JSON.stringify(body));
  const { sql } = app.databases.of('us');
  await until(async () => {
    const [row] = await sql`
      select from messages m join verifications v on v.tenant_id = m.tenant_id and v.id = m.verification_id
      where v.value = ${phone} and m.state = 'sent'`;
    return row !== undefined;
  });
  const givers = [first, second, voice].filter(({ given }) => given.some(({ to }) => to === phone));
  const code = givers[0]?.given.findLast(({ to }) => to === phone)?.code;
  if (seconds !== undefined) {
    app.clock.advance(seconds);
    const proof = { verification_id: body.verification_id, verification_code: code };
    assert.equal((await app.post(`${AUTH}/verify-code`, proof)).status, 201);
  }
  return givers.map(({ name }) => name);
}

const counts = async (byPrefix = false) =>
  app.app.delivery.counts(app.databases.of('us'), { tenantId: null, sinceSeconds: 3600, byPrefix });

test('sends, refusals, conversion and cost are counted by provider, country and prefix; the way used last has the proof', async () => {
  for (let person = 0; person < 3; person++) assert.deepEqual(await live(4), ['first']);
  await live(undefined);
  first.behave = refuses('unreachable');
  assert.deepEqual(await live(8), ['first', 'voice']);
  first.behave = sends;
  const tenant = app.app.tenants.bySlug('us')?.id;
  const common = { tenant_id: tenant, country: 'US', prefix: null, delivered: 0, failed: 0 };
  assert.deepEqual(
    (await counts()).map((row) => ({ ...row, cost: Math.round(row.cost * 100) / 100 })),
    [
      {
        ...{ ...common, channel: 'sms', provider: 'first', sent: 4, refused: 1, verified: 3, cost: 0.04 },
        median_milliseconds: 4000,
      },
      {
        ...{ ...common, channel: 'voice', provider: 'voice', sent: 1, refused: 0, verified: 1, cost: 0.1 },
        median_milliseconds: 8000,
      },
    ],
  );
  assert.deepEqual(
    (await counts(true)).map(({ prefix }) => prefix),
    ['+1415555', '+1415555'],
  );
  await app.app.worker.sweep();
  const { text } = await app.app.metrics.render();
  const way = 'tenant="us",provider="first",channel="sms",country="US"';
  assert.ok(text.includes(`firstproof_delivery_tries_total{${way},outcome="sent"} 4`), text);
  assert.ok(text.includes(`firstproof_delivery_tries_total{${way},outcome="refused"} 1`));
  assert.ok(text.includes(`firstproof_delivery_cost_total{${way}} 0.04`));
  assert.ok(text.includes(`firstproof_delivery_conversion_ratio{${way}} 0.75`));
  app.clock.advance(3601);
  assert.equal((await counts()).length, 0);
  await app.app.worker.sweep();
  const later = (await app.app.metrics.render()).text;
  assert.ok(!later.includes(`firstproof_delivery_conversion_ratio{${way}`), 'not of an hour ago');
  assert.ok(later.includes(`firstproof_delivery_cost_total{${way}} 0.04`), later);
});

test('the fastest provider goes first, measured until the used code; one that nobody has measured is tried first', async () => {
  for (let person = 0; person < 20; person++) assert.deepEqual(await live(30), ['first']);
  await app.app.worker.sweep();
  for (let person = 0; person < 20; person++) assert.deepEqual(await live(2), ['second'], `person ${person}`);
  await app.app.worker.sweep();
  assert.deepEqual(await live(2), ['second'], 'the faster one');
});
