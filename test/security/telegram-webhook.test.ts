import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { rawRequest } from '../raw-request.ts';
import { startFakeBotApi, until } from '../telegram/fake-bot-api.ts';
import { textUpdate } from '../telegram/person.ts';

const TOKEN = '4242424242:AAEdocumentation_only_token_000000000';
const ADA = { id: 600_100, first_name: 'Ada' };
const HEADER = 'x-telegram-bot-api-secret-token';

let fake: Awaited<ReturnType<typeof startFakeBotApi>>;
let app: TestApp;
let secret: string;
before(async () => {
  fake = await startFakeBotApi();
  const env = { TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_API_ROOT: fake.url, TELEGRAM_UPDATES: 'webhook' };
  // So fast that a second answer would be there at once.
  const pace = { callsPerWindow: 1000, windowMilliseconds: 1000, chatMilliseconds: 1, groupMilliseconds: 1 };
  app = await createTestApp({ env, telegramPace: pace });
  await until(() => fake.calls.some(({ method }) => method === 'setWebhook'), 'setWebhook');
  const call = fake.calls.find(({ method }) => method === 'setWebhook');
  assert.equal(call?.parameters['url'], 'https://auth.test/telegram/default/webhook');
  secret = String(call?.parameters['secret_token']);
});
after(async () => {
  await app.close();
  await fake.close();
});

const PATH = '/telegram/default/webhook';
const send = (headers: Record<string, string>, body: unknown = textUpdate(ADA, '/start'), path = PATH) =>
  app.post(path, body, { headers });

async function stored(): Promise<number> {
  const { sql } = app.databases.control;
  const [row] = await sql`
    select (select count(*) from telegram_updates) + (select count(*) from telegram_chats) as count`;
  return Number(row?.['count']);
}

test('S09 the secret has at least 128 bits of the letters Telegram allows', () => {
  assert.match(secret, /^[\w-]{43}$/);
});

test('S09 without the right secret: 401, nothing parsed, nothing stored', async () => {
  const before = await stored();
  const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
  const tries: Record<string, string>[] = [
    {},
    { [HEADER]: '' },
    { [HEADER]: wrong },
    { [HEADER]: secret.slice(0, 20) },
    { [HEADER]: `${secret}x` },
    { [HEADER]: `${secret}, ${secret}` },
    { authorization: `Bearer ${secret}` },
  ];
  for (const headers of tries) {
    const answer = await send(headers);
    assert.equal(answer.status, 401, JSON.stringify(headers));
    // A body that cannot be parsed is answered the same: nobody looked at it.
    assert.deepEqual((await send(headers, '{"update_id":')).body, answer.body);
  }
  assert.equal(await stored(), before);
});

test('S09 the header twice, even right both times: 401', async () => {
  const before = await stored();
  const body = JSON.stringify(textUpdate(ADA, '/start'));
  for (const values of [
    [secret, secret],
    [secret, 'x'],
    ['x', secret],
  ]) {
    const lines = [
      `POST ${PATH} HTTP/1.1`,
      'Host: auth.test',
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...values.map((value) => `X-Telegram-Bot-Api-Secret-Token: ${value}`),
    ];
    const answer = await rawRequest(app.url, `${lines.join('\r\n')}\r\n\r\n${body}`);
    assert.equal(answer.status, 401, answer.head);
  }
  assert.equal(await stored(), before);
});

test('S09 other tenants, tenants without a bot and tenants that do not exist answer alike', async () => {
  for (const path of ['/telegram/us/webhook', '/telegram/nobody/webhook']) {
    assert.equal((await send({ [HEADER]: secret }, textUpdate(ADA, '/start'), path)).status, 401);
  }
});

test('S09 with the secret an update has its effect, once however often it comes', async () => {
  const update = textUpdate(ADA, '/start');
  const first = await Promise.all([1, 2, 3].map(() => send({ [HEADER]: secret }, update)));
  assert.ok(first.every(({ status }) => status === 200 || status === 503));
  assert.equal((await send({ [HEADER]: secret }, update)).status, 200);
  await until(() => fake.to(ADA.id).length > 0, 'the answer');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(fake.to(ADA.id).length, 1);
  // What cannot be read never comes again.
  assert.equal((await send({ [HEADER]: secret }, '{"update_id":')).status, 200);
  assert.equal((await send({ [HEADER]: secret }, { nothing: true })).status, 200);
});

test('S09 a token of the configuration is stored nowhere, and what the bot asked fits the Bot API', async (context) => {
  const [bot] = await app.databases.control.sql`select token_sealed, username from telegram_bots`;
  assert.deepEqual({ ...bot }, { token_sealed: null, username: 'bot_4242424242_bot' });
  if (!fake.isCompared)
    context.diagnostic('NOT compared: the description of the Bot API is not on this machine');
  assert.deepEqual(fake.problems, []);
});
