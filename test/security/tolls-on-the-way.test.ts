import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';
import {
  createTestProvider,
  hangs,
  refuses,
  sends,
  type TestProvider,
  throws,
} from '../operations/test-provider.ts';

const SEND = '/api/v1/auth/send-verification';

let app: TestApp;
let other: TestApp;
let servers: readonly TestApp[];
let telegram: TestProvider;
let sms: TestProvider;
let dear: TestProvider;
let voice: TestProvider;
let callers = 0;
let slugs = 0;

before(async () => {
  telegram = createTestProvider(sends, { name: 'gateway', channels: ['telegram'], reachesByPhone: true });
  sms = createTestProvider(sends, { name: 'texts' });
  dear = createTestProvider(sends, { name: 'dear' });
  voice = createTestProvider(sends, { name: 'caller', channels: ['voice'] });
  const providers = [telegram, sms, dear, voice];
  app = await createTestApp({ providers });
  other = await app.replica({ providers });
  servers = [app, other];
});
after(async () => {
  await other.close();
  await app.close();
});
beforeEach(async () => {
  app.clock.advance(3 * 86_400);
  for (const { app: server } of servers) await server.worker.dispatch();
  for (const provider of [telegram, sms, dear, voice]) {
    provider.behave = sends;
    provider.given = [];
  }
});

type Channel = 'sms' | 'telegram' | 'voice';

/** A tenant whose codes go by these channels, known to both servers. SMS has one provider. */
async function newTenant(
  route: readonly Channel[],
  tolls: object,
  delivery: object = {},
): Promise<{ id: string; slug: string }> {
  const slug = `on-the-way-${++slugs}`;
  const settings = {
    channels: [...new Set([...route, 'email' as const])],
    tolls,
    delivery: {
      ...{ routes: { default: [...route] }, next_channel_after_seconds: 20 },
      ...{ providers: { sms: ['texts'] }, ...delivery },
    },
  };
  await app.app.tenants.create({
    ...{ slug, name: slug, kind: 'application', phonePrefixes: [], hosts: [], database: null },
    ...{ locale: 'en', settings, branding: {} },
  });
  for (const { app: server } of servers) {
    while (server.tenants.bySlug(slug) === undefined) await wait(5);
    await server.keys.ensure(server.tenants.bySlug(slug)?.id ?? '');
  }
  return { id: app.app.tenants.bySlug(slug)?.id ?? '', slug };
}

/** Numbers of different ranges, so that only the tenant's own budgets count. */
const phoneOf = (index: number): string =>
  `+1415${600 + (index % 300)}${String(2000 + index).padStart(4, '0')}`;

async function send(slug: string, phone: string, server = app, more: object = {}) {
  const from = `10.8.${++callers >> 8}.${callers & 255}`;
  const answer = await server.post(SEND, { phone, tenant: slug, ...more }, { from });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as { verification_id: string; channel: string };
}

/** States of a tenant's messages, counted. */
async function states(tenantId: string): Promise<Record<string, number>> {
  const rows = await app.databases.control.sql<{ state: string; channel: string; count: number }[]>`
    select state, channel, count(*)::int as count from messages where tenant_id = ${tenantId} group by 1, 2 order by 1, 2`;
  return Object.fromEntries(rows.map(({ state, channel, count }) => [`${state} ${channel}`, count]));
}

const reach = (tenantId: string, wanted: Record<string, number>): Promise<void> =>
  until(async () => JSON.stringify(await states(tenantId)) === JSON.stringify(wanted));

/** What the ledger tells of a tenant: messages and money, by channel. */
async function ledger(tenantId: string): Promise<Record<string, [messages: number, money: number]>> {
  const entries = await app.app.tolls.ledger(tenantId);
  return Object.fromEntries(
    entries.map(({ channel, messages, money }) => [channel, [messages, Math.round(money * 100) / 100]]),
  );
}

test('S23 what two servers let fall back to SMS at once keeps to the money of the day, to the message', async () => {
  const { id, slug } = await newTenant(['telegram', 'sms'], { money_per_day: 1, price: 0.1 });
  const people = Array.from({ length: 40 }, (_, index) => phoneOf(index));
  telegram.behave = refuses('not on Telegram');
  await Promise.all(people.map((phone, index) => send(slug, phone, servers[index % 2])));
  await reach(id, { 'failed sms': 30, 'sent sms': 10 });
  assert.equal(sms.given.length, 10);
  assert.deepEqual(await ledger(id), { sms: [10, 1] });
  const told = await app.databases.control.sql`
    select from audit_events where tenant_id = ${id} and action = 'tolls.money_spent'`;
  assert.equal(told.length, 1, 'told once, whichever server met it');
});

test('S23 silence that would lead to SMS past the money leads to the channel after it', async () => {
  const { id, slug } = await newTenant(['voice', 'sms', 'telegram'], { money_per_day: 0.3, price: 0.1 });
  await Promise.all([0, 1, 2].map((index) => send(slug, phoneOf(index), servers[index % 2])));
  await reach(id, { 'sent voice': 3 });
  app.clock.advance(20);
  await Promise.all(servers.map((server) => server.app.worker.dispatch()));
  await reach(id, { 'sent telegram': 3 });
  assert.equal(sms.given.length, 0);
  assert.deepEqual(await ledger(id), { voice: [3, 0.3] });
});

test('S23 what was refused, or never tried, costs nothing; a try that may have left costs', async () => {
  const { id, slug } = await newTenant(['sms', 'telegram'], { money_per_day: 0.1, price: 0.1 });
  sms.behave = refuses('no such number');
  for (let index = 0; index < 3; index++) {
    await send(slug, phoneOf(index));
    await reach(id, { 'sent telegram': index + 1 });
    // Given back once the message has gone on.
    await until(async () => Object.keys(await ledger(id)).length === 0);
  }
  sms.behave = throws;
  await send(slug, phoneOf(10));
  await reach(id, { 'queued sms': 1, 'sent telegram': 3 });
  app.clock.advance(5);
  await app.app.worker.dispatch();
  // Nobody knows whether the first try left: it was the day's last message, and the second one has no money.
  await reach(id, { 'sent telegram': 4 });
  assert.equal(sms.given.length, 4);
  assert.deepEqual(await ledger(id), { sms: [1, 0.1] });
});

test('S23 what expired before it could leave is given back, but never to a day that began since', async () => {
  const { id, slug } = await newTenant(['sms'], { messages_per_day: 1 });
  const secondsOfDay = (): number => (app.clock.now().getTime() / 1000) % 86_400;
  const waits = async () => ({ state: 'retry' as const, error: 'not now', notBeforeSeconds: 290 });
  const expire = async (): Promise<void> => {
    app.clock.advance(310);
    await app.app.worker.dispatch();
  };
  app.clock.advance(86_400 - secondsOfDay() + 3600);
  sms.behave = waits;
  await send(slug, phoneOf(0));
  await reach(id, { 'queued sms': 1 });
  await expire();
  await reach(id, { 'abandoned sms': 1 });
  await until(async () => Object.keys(await ledger(id)).length === 0);

  app.clock.advance(86_400 - secondsOfDay() - 90);
  await send(slug, phoneOf(1));
  await reach(id, { 'abandoned sms': 1, 'queued sms': 1 });
  app.clock.advance(100);
  sms.behave = sends;
  await send(slug, phoneOf(2));
  await reach(id, { 'abandoned sms': 1, 'queued sms': 1, 'sent sms': 1 });
  await expire();
  await reach(id, { 'abandoned sms': 2, 'sent sms': 1 });
  await until(async () => (await ledger(id))['sms']?.[0] === 1);
  const more = await app.post(SEND, { phone: phoneOf(3), tenant: slug }, { from: '10.8.200.2' });
  assert.equal(more.body.error, 'CHANNEL_UNAVAILABLE', 'the new day has had its one message');
});

test('S23 a message of a server that died may have left: whoever sends it again pays again', async () => {
  const { id, slug } = await newTenant(['sms'], { messages_per_day: 2 });
  sms.behave = hangs;
  await send(slug, phoneOf(0));
  await until(() => sms.given.length === 1);
  sms.behave = sends;
  app.clock.advance(31);
  await other.app.worker.dispatch();
  await reach(id, { 'sent sms': 1 });
  assert.deepEqual(await ledger(id), { sms: [2, 0.1] });
});

test('S23 a number that is not let out is not promised an SMS, and gets none', async () => {
  const { id, slug } = await newTenant(['telegram', 'sms'], { countries: ['UZ'] });
  telegram.behave = refuses('not on Telegram');
  const { verification_id: handle } = await send(slug, phoneOf(0));
  await reach(id, { 'failed telegram': 1 });
  const { body } = await app.get(`/api/v1/auth/verifications/${handle}`, {
    headers: { 'x-tenant': slug },
  });
  assert.deepEqual([body.state, body.next_channel], ['failed', null]);
  assert.equal(sms.given.length, 0);
  await send(slug, '+998901234567');
  await reach(id, { 'failed telegram': 1, 'sent sms': 1 });
});

test('S23 tolls, ledger and statistics know one price: that of the provider, else that of the country', async () => {
  const prices = { texts: { US: 0.01 }, dear: { default: 0.07 } };
  const delivery = { providers: { sms: ['texts', 'dear'] }, order: 'cheapest', prices };
  const { id, slug } = await newTenant(['sms', 'voice'], { money_per_day: 0.16, price: 0.02 }, delivery);
  const counted = async () => {
    const query = { tenantId: id, sinceSeconds: 3600, byPrefix: false };
    const rows = await app.app.delivery.counts(app.databases.control, query);
    return Object.fromEntries(rows.map(({ provider, cost }) => [provider, Math.round(cost * 100) / 100]));
  };
  // Seven hundredths are taken, six of them come back.
  for (let index = 0; index < 3; index++) {
    await send(slug, phoneOf(index));
    await reach(id, { 'sent sms': index + 1 });
    await until(async () => (await ledger(id))['sms']?.[1] === (index + 1) / 100);
  }
  await send(slug, phoneOf(9), app, { channel: 'voice' });
  await reach(id, { 'sent sms': 3, 'sent voice': 1 });
  assert.deepEqual(await ledger(id), { sms: [3, 0.03], voice: [1, 0.02] });
  assert.deepEqual(await counted(), { texts: 0.03, caller: 0.02 });
  sms.behave = refuses('no balance', 'alarm');
  await send(slug, phoneOf(10));
  await reach(id, { 'sent sms': 4, 'sent voice': 1 });
  assert.deepEqual(await counted(), { texts: 0.03, caller: 0.02, dear: 0.07 });
  assert.deepEqual(await ledger(id), { sms: [4, 0.1], voice: [1, 0.02] });
  const refused = await app.post(SEND, { phone: phoneOf(11), tenant: slug }, { from: '10.8.200.1' });
  assert.equal(refused.body.error, 'CHANNEL_UNAVAILABLE', 'four hundredths are left, it may cost seven');
});
