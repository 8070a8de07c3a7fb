import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { readToll } from '../../src/tolls/policy.ts';
import { tollPolicyOf } from '../../src/tenants/toll-settings.ts';

let app: TestApp;
let servers: readonly TestApp[];
before(async () => {
  app = await createTestApp();
  servers = [app, await app.replica(), await app.replica()];
});
after(async () => {
  await Promise.all(servers.slice(1).map((server) => server.close()));
  await app.close();
});

const SEND = '/api/v1/auth/send-verification';
let callers = 0;
const newCaller = (): string => `10.9.${++callers >> 8}.${callers & 255}`;
const number = (prefix: string, index: number): string => `${prefix}${String(index).padStart(4, '0')}`;

/** A tenant of its own on all servers. */
async function newTenant(slug: string, tolls: object): Promise<string> {
  await app.app.tenants.create({
    ...{ slug, name: slug, kind: 'application', phonePrefixes: [], hosts: [], database: null },
    ...{ locale: 'en', settings: { tolls }, branding: {} },
  });
  for (const server of servers) {
    while (server.app.tenants.bySlug(slug) === undefined) await wait(5);
    await server.app.keys.ensure(server.app.tenants.bySlug(slug)?.id ?? '');
  }
  return app.app.tenants.bySlug(slug)?.id ?? '';
}

const send = (slug: string, phone: string, server = app) =>
  server.post(SEND, { phone, tenant: slug }, { from: newCaller() });

async function queued(tenantId: string): Promise<number> {
  const [row] = await app.databases.control.sql`
    select count(*)::int as count from messages where tenant_id = ${tenantId}`;
  return row?.['count'] as number;
}

/** Many sends at once over three servers; how many were answered with which word. */
async function pump(slug: string, phones: readonly string[]): Promise<Record<string, number>> {
  const tally: Record<string, number> = {};
  const answers = await Promise.all(
    phones.map((phone, index) => send(slug, phone, servers[index % 3] as TestApp)),
  );
  for (const { body } of answers) {
    const word = (body.error as string | undefined) ?? 'sent';
    tally[word] = (tally[word] ?? 0) + 1;
  }
  return tally;
}

test('S23 one range of numbers gets no more than its budget, from whichever callers and servers; other ways go on', async () => {
  const id = await newTenant('range', { prefix_per_hour: 20 });
  const phones = Array.from({ length: 240 }, (_, index) => number('+1415555', index));
  assert.deepEqual(await pump('range', phones), { sent: 20, CHANNEL_UNAVAILABLE: 220 });
  assert.equal(await queued(id), 20);
  const refused = await send('range', number('+1415555', 999));
  assert.equal(refused.status, 503);
  assert.equal(refused.body.next_action, 'USE_ANOTHER_CHANNEL');
  assert.ok(refused.body.retry_after > 3500 && refused.body.retry_after <= 3600);
  const mail = await app.post(SEND, { email: 'a@example.com', tenant: 'range' }, { from: newCaller() });
  assert.equal(mail.status, 200);
  assert.equal((await send('range', '+14155560001')).status, 200, 'the next range');
  app.clock.advance(3600);
  assert.equal((await send('range', number('+1415555', 999))).status, 200, 'the next hour');
});

test('S23 the money of a day stops SMS exactly, on three servers at once, and nothing else; it is told once', async () => {
  const id = await newTenant('money', { money_per_day: 1, price: 0.1 });
  const phones = Array.from({ length: 90 }, (_, index) => number(`+1415${600 + (index % 30)}`, index));
  assert.deepEqual(await pump('money', phones), { sent: 10, CHANNEL_UNAVAILABLE: 80 });
  const entries = await app.app.tolls.ledger(id);
  assert.deepEqual(
    entries.map(({ channel, country, messages, money }) => ({ channel, country, messages, money })),
    [{ channel: 'sms', country: 'US', messages: 10, money: 1 }],
  );
  const told = await app.databases.control.sql`
    select from audit_events where tenant_id = ${id} and action = 'tolls.money_spent'`;
  assert.equal(told.length, 1);
  const mail = await app.post(SEND, { email: 'b@example.com', tenant: 'money' }, { from: newCaller() });
  assert.equal(mail.status, 200);
  app.clock.advance(86_400);
  assert.equal((await send('money', '+14157000001')).status, 200, 'the next day');
});

test('S23 a send that is refused for another reason costs nothing', async () => {
  const id = await newTenant('refused', { prefix_per_hour: 3 });
  const phone = number('+1415557', 1);
  assert.equal((await send('refused', phone)).status, 200);
  for (let more = 0; more < 10; more++) {
    assert.equal((await send('refused', phone)).body.error, 'RESEND_TOO_SOON');
    await wait(20);
  }
  assert.equal((await send('refused', number('+1415557', 2))).status, 200);
  assert.equal((await app.app.tolls.ledger(id))[0]?.messages, 2);
});

test('S23 a range whose codes nobody types is blocked for an hour, and told once', async () => {
  const id = await newTenant('pumped', {});
  for (let index = 0; index < 25; index++) await send('pumped', number('+1415558', index));
  app.clock.advance(180);
  await Promise.all(servers.map((server) => server.app.worker.sweep()));
  assert.equal((await send('pumped', number('+1415558', 100))).body.error, 'CHANNEL_UNAVAILABLE');
  assert.equal((await send('pumped', '+14155590001')).status, 200, 'its neighbour is not');
  const told = await app.databases.control.sql`
    select data from audit_events where tenant_id = ${id} and action = 'tolls.range_blocked'`;
  assert.deepEqual(
    told.map((row) => row['data']),
    [{ sent: 25, verified: 0 }],
  );
  app.clock.advance(3601);
  assert.equal((await send('pumped', number('+1415558', 100))).status, 200, 'it ends by itself');
});

test('S23 only the countries that a tenant has named, and no number that earns for its owner', async () => {
  await newTenant('closed', { countries: ['UZ'] });
  const refused = await send('closed', '+14155552671');
  assert.equal(refused.status, 403);
  assert.equal(refused.body.error, 'COUNTRY_NOT_ALLOWED');
  assert.equal((await send('closed', '+998901234567')).status, 200);
  const open = tollPolicyOf({ countries: ['*'] });
  for (const phone of [
    '+870773111632',
    '+881612345678',
    '+882161234567',
    '+883510012345',
    '+19002345678',
    '+448712345678',
    '+80012345678',
  ]) {
    assert.deepEqual(readToll(phone, open, true), { ok: false, reason: 'range' }, phone);
  }
  assert.deepEqual(readToll('+14155552671', tollPolicyOf(), false), { ok: false, reason: 'unset' });
  assert.ok(readToll('+14155552671', tollPolicyOf(), true).ok);
});

test('S23 a country that a tenant closes is closed to whoever is signed in, too', async () => {
  const id = await newTenant('closing', { countries: ['US'] });
  const phone = number('+1415560', 1);
  const { body } = await app.signIn(
    { phone },
    { tenant: 'closing' },
    { from: newCaller(), headers: { 'x-tenant': 'closing' } },
  );
  const { access_token: token } = body;
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200, 'the token is remembered');
  const tenant = app.app.tenants.byId(id);
  assert.ok(tenant);
  await app.app.tenants.update(tenant, { settings: { tolls: { countries: ['DE'] } } });
  app.clock.advance(61);
  assert.equal((await send('closing', phone)).body.error, 'COUNTRY_NOT_ALLOWED');
  const proof = await app.post('/api/v1/auth/step-up', {}, { token, from: newCaller() });
  assert.equal(proof.body.error, 'COUNTRY_NOT_ALLOWED');
  assert.equal(await queued(id), 1);
});

test('S23 who is past their own hour holds no place of the tenant’s budgets, however many ask at once', async () => {
  await newTenant('crowded', { prefix_per_hour: 25 });
  const phone = number('+1415561', 1);
  const from = newCaller();
  const ask = () => app.post(SEND, { phone, tenant: 'crowded' }, { from });
  for (let sent = 0; sent < 31; sent++) await ask();
  assert.equal((await ask()).status, 429);
  let isOver = false;
  const crowd = Array.from({ length: 60 }, async () => {
    while (!isOver) await ask();
  });
  const others: (string | undefined)[] = [];
  for (let index = 100; index < 120; index++) {
    others.push((await send('crowded', number('+1415561', index))).body.error as string | undefined);
  }
  isOver = true;
  await Promise.all(crowd);
  assert.deepEqual(new Set(others), new Set([undefined]));
});

test('S23 a wrong password makes nobody’s telephone ring: neither by a call, nor where another way falls back to one', async () => {
  const headers = { 'x-tenant': 'ringing' };
  await newTenant('ringing', {});
  for (const [index, route] of [['voice'], ['telegram', 'voice'], ['telegram', 'sms']].entries()) {
    const tenant = app.app.tenants.bySlug('ringing');
    assert.ok(tenant);
    const channels = ['sms', 'email', 'telegram', 'voice'] as const;
    await app.app.tenants.update(tenant, {
      settings: { channels: [...channels], delivery: { routes: { default: route as ('sms' | 'voice')[] } } },
    });
    const phone = number('+1415562', index);
    const registered = await app.post(
      '/api/v1/auth/register',
      { phone, password: 'violet-Harbour-42' },
      { from: newCaller(), headers },
    );
    assert.equal(registered.status, 202, JSON.stringify(registered.body));
    app.clock.advance(61);
    const before = await queued(tenant.id);
    const wrong = await app.post(
      '/api/v1/auth/login',
      { phone, password: 'amber-Lantern-77' },
      { from: newCaller(), headers },
    );
    assert.equal(wrong.body.error, 'ACCOUNT_NOT_VERIFIED');
    assert.equal(await queued(tenant.id), before, route.join(' then '));
  }
});
