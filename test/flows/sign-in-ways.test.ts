import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

let app: TestApp;
before(async () => {
  app = await createTestApp({
    tenants: {
      us: {
        channels: ['sms'],
        identifiers: ['phone'],
        passwords: { enabled: false },
        registration: 'closed',
      },
    },
  });
});
after(() => app.close());

const WAYS = '/api/v1/auth/ways';

test('a form of one’s own learns what to offer: the default tenant has everything open', async () => {
  const { status, body } = await app.get(WAYS);
  assert.equal(status, 200);
  assert.deepEqual(body.by_code, ['phone', 'email', 'telegram']);
  assert.deepEqual(body.by_password, ['phone', 'email', 'username']);
  assert.equal(body.by_telegram_link, true);
  assert.equal(body.registration, 'open');
  assert.equal(body.tenant.slug, 'default');
});

test('a tenant tells its own: by header or query, and nothing of what it keeps to itself', async () => {
  const named = await app.get(WAYS, { headers: { 'x-tenant': 'us' } });
  const asked = await app.get(`${WAYS}?tenant=us`);
  assert.deepEqual(named.body, asked.body);
  const { tenant, ...rest } = named.body;
  assert.deepEqual(Object.keys(tenant).sort(), ['name', 'slug']);
  assert.deepEqual(rest, {
    success: true,
    locale: 'en',
    registration: 'closed',
    by_code: ['phone'],
    by_password: [],
    by_telegram_link: false,
    default_country: 'US',
    phone_prefixes: ['+1'],
    branding: { primary_colour: null, logo_url: null, support_address: null },
  });
});

test('a tenant that does not exist is not found, and what is not asked for is refused', async () => {
  assert.equal((await app.get(`${WAYS}?tenant=nobody`)).body.error, 'TENANT_NOT_FOUND');
  assert.equal((await app.get(`${WAYS}?everything=1`)).status, 400);
});
