import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { startFakeBotApi } from '../telegram/fake-bot-api.ts';

const TOKEN = '8181818181:AAEdocumentation_only_token_000000000';
const PATH = '/api/v1/admin/tenants/uz/telegram-bot';

let fake: Awaited<ReturnType<typeof startFakeBotApi>>;
let app: TestApp;
before(async () => {
  fake = await startFakeBotApi();
  app = await createTestApp({ env: { TELEGRAM_API_ROOT: fake.url } });
});
after(async () => {
  await app.close();
  await fake.close();
});

const asAdmin = () => ({ token: app.apiKey });

test('a tenant gets its bot over the admin API; the token is never shown again', async () => {
  assert.equal((await app.get(PATH, asAdmin())).status, 404);
  const set = await app.request('PUT', PATH, { token: TOKEN }, asAdmin());
  assert.equal(set.status, 200, JSON.stringify(set.body));
  const shown = { id: '8181818181', username: 'bot_8181818181_bot', is_configured: false };
  assert.deepEqual(set.body.telegram_bot, shown);
  assert.deepEqual((await app.get(PATH, asAdmin())).body.telegram_bot, shown);
  const other = '/api/v1/admin/tenants/us/telegram-bot';
  const taken = await app.request('PUT', other, { token: TOKEN }, asAdmin());
  assert.equal(taken.status, 400);
  assert.match(taken.body.issues[0].message, /another tenant/);
  const bad = await app.request('PUT', other, { token: 'hello' }, asAdmin());
  assert.match(bad.body.issues[0].message, /BotFather/);
  assert.equal((await app.request('DELETE', PATH, undefined, asAdmin())).status, 200);
  assert.equal((await app.request('DELETE', PATH, undefined, asAdmin())).status, 404);
});

test('a token is stored though Telegram is away; without a key, or with another tenant’s, nothing is', async () => {
  assert.equal((await app.request('PUT', PATH, { token: TOKEN })).status, 401);
  const us = app.app.tenants.bySlug('us');
  const { text } = await app.app.apiKeys.create({ tenantId: us?.id ?? null, name: 'us', scopes: ['admin'] });
  assert.equal((await app.request('PUT', PATH, { token: TOKEN }, { token: text })).status, 404);
  fake.state.mode = 'down';
  const set = await app.request('PUT', PATH, { token: TOKEN }, asAdmin());
  assert.equal(set.status, 200);
  assert.equal(set.body.telegram_bot.username, null);
  fake.state.mode = 'up';
});
