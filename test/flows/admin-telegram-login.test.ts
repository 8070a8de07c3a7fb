import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../telegram/fake-bot-api.ts';
import { createFakeLogin, LOGIN_CLIENT } from '../telegram/fake-login.ts';

const PATH = '/api/v1/admin/tenants/us/telegram-login';
const BACK = 'https://app.example/back';
const START = new Date('2026-03-01T12:00:00.000Z');
const CLIENT = { client_id: LOGIN_CLIENT.id, client_secret: LOGIN_CLIENT.secret };
const fake = await createFakeLogin(() => START.getTime() / 1000);

let app: TestApp;
before(async () => {
  app = await createTestApp({
    start: START,
    fetch: fake.fetch,
    tenants: { us: { telegram_sign_in: { return_addresses: [BACK] } } },
  });
});
after(() => app.close());

const asAdmin = () => ({ token: app.apiKey });
const begin = (on: TestApp = app) =>
  on.post('/api/v1/auth/telegram/oidc', { redirect_uri: BACK }, { headers: { 'x-tenant': 'us' } });

test('a tenant gets its client over the admin API, on every server at once; the secret is sealed and never shown', async () => {
  const other = await app.replica();
  try {
    assert.equal((await app.get(PATH, asAdmin())).status, 404);
    assert.equal((await begin()).status, 503);
    const set = await app.request('PUT', PATH, CLIENT, asAdmin());
    assert.equal(set.status, 200, JSON.stringify(set.body));
    const shown = { client_id: LOGIN_CLIENT.id, is_configured: false };
    assert.deepEqual(set.body.telegram_login, shown);
    assert.deepEqual((await app.get(PATH, asAdmin())).body.telegram_login, shown);
    await until(async () => (await begin(other)).status === 200, 'the other server hears of it');
    const begun = (await begin()).body;
    const answer = fake.approve(begun.authorization_url, { id: 985_000_001, name: 'Mia' });
    const complete = { login_id: begun.login_id, ...answer };
    assert.equal((await other.post('/api/v1/auth/telegram/oidc/complete', complete)).status, 201);
    const [row] = await app.databases.control.sql`select secret_sealed from telegram_logins`;
    const sealed = row?.['secret_sealed'] as Buffer;
    assert.ok(!sealed.includes(LOGIN_CLIENT.secret));
    const events = await app.databases.control.sql`
      select data::text as data from audit_events where action like 'telegram_login.%'`;
    assert.equal(events.length, 1);
    assert.ok(!JSON.stringify(events).includes(LOGIN_CLIENT.secret));
    assert.equal((await app.request('DELETE', PATH, undefined, asAdmin())).status, 200);
    assert.equal((await app.request('DELETE', PATH, undefined, asAdmin())).status, 404);
    assert.equal((await begin()).status, 503);
  } finally {
    await other.close();
  }
});

test('a client that can be none is refused with its field; without a key, or with another tenant’s, nothing is set', async () => {
  const wrong: [string, Record<string, string>][] = [
    ['/client_id', { ...CLIENT, client_id: 'mybot' }],
    ['/client_secret', { ...CLIENT, client_secret: 'short' }],
    ['/client_secret', { ...CLIENT, client_secret: '8181818181:AAEdocumentation_only_token_000000000' }],
  ];
  for (const [path, body] of wrong) {
    const { status, body: answer } = await app.request('PUT', PATH, body, asAdmin());
    assert.deepEqual([status, answer.issues?.[0].path], [400, path]);
  }
  assert.equal((await app.request('PUT', PATH, CLIENT)).status, 401);
  const uz = app.app.tenants.bySlug('uz');
  const { text } = await app.app.apiKeys.create({ tenantId: uz?.id ?? null, name: 'uz', scopes: ['admin'] });
  assert.equal((await app.request('PUT', PATH, CLIENT, { token: text })).status, 404);
  assert.equal((await app.get(PATH, asAdmin())).status, 404);
});
