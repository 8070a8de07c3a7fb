import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Update } from 'grammy/types';
import { createExampleBot } from '../../examples/telegram-bot/bot.ts';
import { PhoneAuth } from '../../sdk/src/phone-auth.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { startFakeBotApi, until } from '../telegram/fake-bot-api.ts';
import { type Person, pressUpdate, textUpdate } from '../telegram/person.ts';
import { wrongCode } from '../wrong-code.ts';

const TOKEN = '6161616161:AAEexample_bot_of_the_tests_0000000000';
const PHONE = '+14155554001';
const ADA: Person = { id: 961_000_001, first_name: 'Ada', language_code: 'en' };
const BOB: Person = { id: 961_000_002, first_name: 'Bob' };

let fake: Awaited<ReturnType<typeof startFakeBotApi>>;
let app: TestApp;
let bot: ReturnType<typeof createExampleBot>;
before(async () => {
  fake = await startFakeBotApi();
  app = await createTestApp();
  const tenantId = app.app.tenants.bySlug('us')?.id ?? null;
  const { text: apiKey } = await app.app.apiKeys.create({ tenantId, name: 'bot', scopes: ['service'] });
  const auth = new PhoneAuth({ baseUrl: app.url, apiKey });
  bot = createExampleBot({ token: TOKEN, auth, apiRoot: fake.url });
  await bot.init();
});
after(async () => {
  await app.close();
  await fake.close();
});

/** What the bot writes to a chat after an update. */
async function answerTo(person: Person, update: object): Promise<string> {
  const before = fake.to(person.id).length;
  await bot.handleUpdate(update as Update);
  return fake.to(person.id)[before]?.text ?? '';
}
const say = (person: Person, text: string): Promise<string> => answerTo(person, textUpdate(person, text));

test('the example bot goes on where the server is away, and where somebody has stopped it in the middle', async () => {
  const token = '6262626262:AAEexample_bot_of_the_tests_0000000001';
  const away = new PhoneAuth({ baseUrl: 'http://127.0.0.1:9', apiKey: 'fp_sk_x', wait: async () => {} });
  const faults: unknown[] = [];
  const alone = createExampleBot({
    token,
    auth: away,
    apiRoot: fake.url,
    onFault: (fault) => void faults.push(fault),
  });
  const running = alone.start();
  const answered = async (person: Person, text: string, wanted: RegExp) => {
    fake.bring(token, textUpdate(person, text));
    await until(() => wanted.test(fake.to(person.id).at(-1)?.text ?? ''), `an answer to ${text}`);
  };
  const carol = { id: 961_000_003, first_name: 'Carol' };
  const dave = { id: 961_000_004, first_name: 'Dave' };
  await answered(carol, '/auth', /Try again in a moment/);
  fake.blocked.add(dave.id);
  fake.bring(token, textUpdate(dave, '/start'));
  await answered(carol, '/start', /Hello!/);
  assert.equal(faults.length, 2, 'whoever runs it is told of both');
  // Its last call may reach the fake before that knows of the poll which it ends.
  await alone.stop().catch(() => {});
  await running;
});

test('the example bot signs people in by their phone, moves the account to another chat, and back', async () => {
  assert.match(await say(ADA, '/start'), /\/auth/);
  assert.match(await say(ADA, '/whoami'), /not signed in/);
  assert.match(await say(ADA, 'hm?'), /did not understand/);
  assert.match(await say(ADA, '/auth'), /Type your number/);
  assert.match(await say(ADA, '+1 000 0000'), /country code|number that exists/);
  assert.match(await say(ADA, PHONE), /on its way to \+1.*4001/);
  const code = await app.code(PHONE);
  assert.match(await say(ADA, wrongCode(code)), /not right/);
  assert.match(await say(BOB, code), /No verification is waiting/);
  assert.match(await say(ADA, code), /Welcome!/);
  assert.match(await say(ADA, '/auth'), /signed in as \+14155554001/);
  assert.match(await say(ADA, '/whoami'), /since 2026-03-01/);

  app.clock.advance(61);
  await say(BOB, PHONE);
  assert.match(await say(BOB, await app.code(PHONE, { not: code })), /Welcome back!/);
  const data = fake.to(ADA.id).at(-1)?.reply_markup?.inline_keyboard?.[0]?.[0]?.callback_data ?? '';
  assert.match(data, /^undo:/);
  assert.match(await say(ADA, '/whoami'), /not signed in/);
  assert.match(await answerTo(ADA, pressUpdate(ADA, data)), /in this chat again/);
  assert.match(await say(BOB, '/whoami'), /not signed in/);

  app.clock.advance(61);
  const earlier = await app.newestMessage(PHONE);
  await say(ADA, PHONE);
  assert.match(await say(ADA, await app.code(PHONE, { after: earlier })), /Welcome back!/);
  assert.match(await say(ADA, '/logout'), /signed out/);
  assert.match(await say(ADA, '/logout'), /not signed in/);
  assert.deepEqual(fake.problems, []);
});
