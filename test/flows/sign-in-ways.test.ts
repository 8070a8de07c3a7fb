import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';

const schema = {
  type: 'object',
  required: ['grade'],
  properties: { grade: { type: 'integer', minimum: 1, titles: { fa: 'پایه' } } },
};
let app: TestApp;
before(async () => {
  app = await createTestApp({
    tenants: {
      us: {
        channels: ['sms'],
        identifiers: ['phone'],
        passwords: { enabled: false },
        registration: 'closed',
        custom_fields: schema,
      },
      uz: { required_fields: ['first_name', 'password'], custom_fields: schema },
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
    password_min_length: null,
    sign_up: null,
    by_telegram_link: false,
    default_country: 'US',
    phone_prefixes: ['+1'],
    branding: { primary_colour: null, logo_url: null, support_address: null },
  });
});

test('a sign-up form learns what to ask for: the fields that are wanted, and the schema of the tenant’s own', async () => {
  const { body } = await app.get(`${WAYS}?tenant=uz`);
  assert.deepEqual(body.sign_up, { required_fields: ['first_name', 'password'], custom_fields: schema });
  assert.equal(typeof body.password_min_length, 'number');
  const weak = 'x'.repeat(body.password_min_length - 1);
  const short = await app.post('/api/v1/auth/register', {
    phone: '+998901234511',
    password: weak,
    first_name: 'Ada',
    custom_fields: { grade: 5 },
  });
  assert.equal(short.body.error, 'WEAK_PASSWORD');
  const plain = await app.get(WAYS);
  assert.deepEqual(plain.body.sign_up, { required_fields: [], custom_fields: null });
});

test('a tenant that does not exist is not found, and what is not asked for is refused', async () => {
  assert.equal((await app.get(`${WAYS}?tenant=nobody`)).body.error, 'TENANT_NOT_FOUND');
  assert.equal((await app.get(`${WAYS}?everything=1`)).status, 400);
});
