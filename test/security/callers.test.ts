import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let behindProxy: TestApp;
let alone: TestApp;
// The whole hour at once, without a challenge between: here it is counted who calls.
const env = { FIRSTPROOF_FREE_SENDS_PER_CALLER_PER_HOUR: '30' };
before(async () => {
  [behindProxy, alone] = await Promise.all([
    createTestApp({ env }),
    createTestApp({ env: { ...env, FIRSTPROOF_TRUSTED_PROXIES: '10.0.0.0/8' } }),
  ]);
});
after(() => Promise.all([behindProxy.close(), alone.close()]));

const SEND = '/api/v1/auth/send-verification';
let person = 0;
const send = (app: TestApp, headers: Record<string, string> = {}) =>
  app.post(SEND, { email: `caller${person++}@example.com` }, { headers });

/** How many sends of forty are let through when their headers change each time. */
async function letThrough(
  app: TestApp,
  headersOf: (index: number) => Record<string, string>,
): Promise<number> {
  let passed = 0;
  for (let index = 0; index < 40; index++) {
    const answer = await send(app, headersOf(index));
    if (answer.status === 200) passed++;
    else assert.equal(answer.body.error, 'RATE_LIMITED');
  }
  return passed;
}

test('S29 a caller may cause thirty sends an hour, of any addresses together', async () => {
  const from = { 'x-forwarded-for': '203.0.113.1' };
  assert.equal(await letThrough(behindProxy, () => from), 30);
  const refused = await send(behindProxy, from);
  assert.equal(refused.status, 429);
  assert.equal(refused.body.retry_after, 3600);
  assert.equal(refused.headers.get('retry-after'), '3600');
  assert.equal((await send(behindProxy, { 'x-forwarded-for': '203.0.113.2' })).status, 200, 'others go on');
  behindProxy.clock.advance(3599);
  assert.equal((await send(behindProxy, from)).status, 429);
  behindProxy.clock.advance(1);
  assert.equal((await send(behindProxy, from)).status, 200);
});

test('S29 resends count as sends of their caller', async () => {
  const from = { 'x-forwarded-for': '203.0.113.9' };
  await letThrough(behindProxy, () => from);
  const answer = await behindProxy.post(
    '/api/v1/auth/resend-otp',
    { email: `caller${person - 40}@example.com` },
    { headers: from },
  );
  assert.equal(answer.body.error, 'RATE_LIMITED');
});

test('S29 all addresses of one IPv6 /64 are one caller, in any spelling; the next /64 is another', async () => {
  const spellings = (index: number) => [
    `2001:db8:1:2:${index.toString(16)}::1`,
    `2001:0db8:0001:0002:0000:0000:0000:${index.toString(16)}`,
    `2001:DB8:1:2::${index.toString(16)}:ffff`,
    `[2001:db8:1:2::${index.toString(16)}]:4711`,
  ];
  const passed = await letThrough(behindProxy, (index) => ({
    'x-forwarded-for': spellings(index)[index % 4] ?? '',
  }));
  assert.equal(passed, 30);
  assert.equal((await send(behindProxy, { 'x-forwarded-for': '2001:db8:1:3::1' })).status, 200);
});

test('S29 an IPv4 address in IPv6 clothes is the IPv4 address', async () => {
  const passed = await letThrough(behindProxy, (index) => ({
    'x-forwarded-for': index % 2 ? '203.0.113.20' : '::ffff:203.0.113.20',
  }));
  assert.equal(passed, 30);
});

test('S29 what stands left of the address that the proxy saw is not believed', async () => {
  const passed = await letThrough(behindProxy, (index) => ({
    'x-forwarded-for': `192.0.2.${index}, 198.51.100.${index}, 203.0.113.30`,
  }));
  assert.equal(passed, 30);
});

test('S29 nothing a caller writes makes it another caller when it is not a trusted proxy', async () => {
  const passed = await letThrough(alone, (index) => ({
    'x-forwarded-for': `203.0.113.${index}`,
    forwarded: `for=203.0.113.${index}`,
    'x-real-ip': `203.0.113.${index}`,
    'x-client-ip': `203.0.113.${index}`,
    'cf-connecting-ip': `203.0.113.${index}`,
    'true-client-ip': `203.0.113.${index}`,
    'user-agent': `browser ${index}`,
    'x-tenant': index % 2 ? 'us' : 'default',
  }));
  assert.equal(passed, 30);
  const rows = await alone.databases.control.sql`select distinct ip from audit_events where ip is not null`;
  assert.deepEqual(
    rows.map((row) => row['ip']),
    ['127.0.0.1'],
  );
});

test('S29 a malformed address is never believed: it counts as the proxy itself', async () => {
  const passed = await letThrough(behindProxy, (index) => ({
    'x-forwarded-for':
      ['nonsense', '999.1.1.1', '2001:db8::1%eth0', "1.1.1.1' or 1=1", 'unknown', ''][index % 6] ?? '',
  }));
  assert.equal(passed, 30);
});

test('S29 behind a proxy nothing but its own X-Forwarded-For tells who calls', async () => {
  const passed = await letThrough(behindProxy, (index) => ({
    'x-forwarded-for': '203.0.113.40',
    forwarded: `for=203.0.113.${index};by=192.0.2.1`,
    'x-real-ip': `203.0.113.${index}`,
    'x-client-ip': `203.0.113.${index}`,
    'cf-connecting-ip': `203.0.113.${index}`,
    'true-client-ip': `203.0.113.${index}`,
    'x-forwarded': `203.0.113.${index}`,
    'x-cluster-client-ip': `203.0.113.${index}`,
    via: `1.1 203.0.113.${index}`,
  }));
  assert.equal(passed, 30);
});

test('S29 suffixes of an IPv6 network are one caller for passwords, too', async () => {
  const email = 'sprayed@example.com';
  const refused = new Set<string>();
  for (let index = 0; index < 110; index++) {
    const answer = await behindProxy.post(
      '/api/v1/auth/login',
      { email: `${index}-${email}`, password: 'whatever it may be' },
      { from: `2001:db8:9:9:${index.toString(16)}::1` },
    );
    if (answer.status === 429) refused.add(answer.body.error);
  }
  assert.deepEqual([...refused], ['RATE_LIMITED']);
  const other = await behindProxy.post(
    '/api/v1/auth/login',
    { email, password: 'whatever it may be' },
    { from: '2001:db8:9:a::1' },
  );
  assert.notEqual(other.status, 429);
});
