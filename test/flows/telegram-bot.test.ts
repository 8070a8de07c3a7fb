import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { loadBotApiSpec, typeProblems } from '../telegram/bot-api-spec.ts';
import { startFakeBotApi, until } from '../telegram/fake-bot-api.ts';
import { membershipUpdate, type Person, textUpdate } from '../telegram/person.ts';

// The same bot on a Bot API: two servers that share the work by long polling, and a Telegram that fails.

const TOKEN = '5151515151:AAEdocumentation_only_token_000000000';
const US_TOKEN = '6161616161:AAEdocumentation_only_token_000000000';

let fake: Awaited<ReturnType<typeof startFakeBotApi>>;
let app: TestApp;
let second: TestApp;
before(async () => {
  fake = await startFakeBotApi();
  const pace = { callsPerWindow: 1000, windowMilliseconds: 1000, chatMilliseconds: 1, groupMilliseconds: 1 };
  const env = { TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_API_ROOT: fake.url };
  app = await createTestApp({ env, telegramPace: pace });
  second = await app.replica();
});
after(async () => {
  await second.close();
  await app.close();
  await fake.close();
});

let lastId = 900_000_000;
const somebody = (): Person => ({ id: ++lastId, first_name: 'Ada' });

async function start(person: Person): Promise<void> {
  fake.bring(TOKEN, textUpdate(person, '/start'));
  await until(() => fake.to(person.id).length > 0, 'the greeting');
}

const codeIn = (person: Person): string | undefined =>
  fake
    .to(person.id)
    .map(({ reply_markup: markup }) => markup?.inline_keyboard?.[0]?.[0]?.copy_text?.text ?? '')
    .findLast((text) => /^\d{6}$/.test(text));

const send = (person: Person) =>
  app.post(
    '/api/v1/auth/send-verification',
    { telegram_user_id: person.id },
    { from: `192.0.2.${lastId % 250}` },
  );

test('updates as the tests make them are what the Bot API describes', (context) => {
  const spec = loadBotApiSpec();
  if (!spec) return context.diagnostic('NOT compared: the description of the Bot API is not on this machine');
  const ada = somebody();
  for (const update of [
    textUpdate(ada, '/start'),
    membershipUpdate(ada, 'kicked'),
    membershipUpdate(ada, 'member'),
  ]) {
    assert.deepEqual(typeProblems(spec, 'Update', update), []);
  }
});

test('commands and descriptions are told in five languages, once; one server of two polls', async () => {
  const told = (method: string) => fake.calls.filter((call) => call.method === method);
  await until(() => told('setMyShortDescription').length === 5, 'the descriptions');
  assert.deepEqual(
    told('setMyCommands').map(({ parameters }) => parameters['language_code']),
    [undefined, 'ru', 'uz', 'fa', 'am'],
  );
  await start(somebody());
  assert.equal(told('setMyCommands').length, 5);
  // Two polling at once would be told "Conflict"; the other server only waits.
  assert.ok(told('getUpdates').length > 0);
  assert.deepEqual(fake.problems, []);
});

test('flow A through the Bot API: the code has a button that copies it, and is not to be forwarded', async () => {
  const ada = somebody();
  await start(ada);
  const sent = await send(ada);
  assert.equal(sent.status, 200);
  await until(() => codeIn(ada) !== undefined, 'the code');
  const message = fake.to(ada.id).at(-1);
  assert.equal(message?.protect_content, true);
  assert.ok(message?.text.includes(codeIn(ada) as string));
  fake.bring(TOKEN, textUpdate(ada, `/verify ${codeIn(ada)}`));
  await until(() => fake.to(ada.id).some(({ text }) => text.includes('fps_')), 'the token');
  const token = /fps_[\w-]{80}/.exec(fake.to(ada.id).at(-1)?.text ?? '')?.[0] ?? '';
  assert.equal((await app.get('/api/v1/auth/session', { token })).status, 200);
  assert.deepEqual(fake.problems, []);
});

test('a person who has stopped the bot is noticed by the refusal, and the next send says so', async () => {
  const ada = somebody();
  await start(ada);
  fake.blocked.add(ada.id);
  assert.equal((await send(ada)).status, 200);
  const { sql } = app.databases.control;
  await until(async () => {
    const [chat] = await sql`select blocked_at from telegram_chats where chat_id = ${ada.id}`;
    return chat?.['blocked_at'] !== null;
  }, 'the mark');
  app.clock.advance(61);
  assert.equal((await send(ada)).body.error, 'TELEGRAM_CHAT_UNKNOWN');
  fake.blocked.delete(ada.id);
  fake.bring(TOKEN, membershipUpdate(ada, 'member'));
  await until(async () => {
    const [chat] = await sql`select blocked_at from telegram_chats where chat_id = ${ada.id}`;
    return chat?.['blocked_at'] === null;
  }, 'the return');
  app.clock.advance(61);
  assert.equal((await send(ada)).status, 200, 'no list of suppressed addresses remembers it');
});

test('Telegram away or silent: requests do not notice, and what people wrote is answered afterwards', async () => {
  const ada = somebody();
  await start(ada);
  for (const mode of ['down', 'hang'] as const) {
    fake.state.mode = mode;
    app.clock.advance(61);
    const began = performance.now();
    assert.equal((await send(ada)).status, 200);
    assert.equal((await app.get('/health/ready')).status, 200);
    assert.ok(performance.now() - began < 5000, 'not even a fraction of a time-out');
    fake.state.mode = 'up';
  }
  const bob = somebody();
  await start(bob);
});

test('a tenant’s own bot: set while the server runs, its token sealed, its people its own', async () => {
  const tenant = app.app.tenants.bySlug('us');
  assert.ok(tenant);
  const by = { actor: 'system', caller: undefined };
  const { bots } = app.app;
  const set = (id: string, token: string) => bots.set(id, { token, username: undefined }, by);
  assert.equal(await set(tenant.id, 'not a token'), 'not_a_token');
  assert.equal(await set(tenant.id, TOKEN), 'taken', 'one bot is never two tenants’');
  assert.equal(await set(tenant.id, US_TOKEN), 'set');
  const eve = somebody();
  fake.bring(US_TOKEN, textUpdate(eve, '/start'));
  await until(() => fake.to(eve.id).length > 0, 'the greeting of the other bot');
  assert.match(fake.to(eve.id)[0]?.text ?? '', /Market US/);
  assert.equal((await send(eve)).status, 409, 'the default tenant does not know her');
  const { sql } = app.databases.control;
  const [row] = await sql`select token_sealed from telegram_bots where tenant_id = ${tenant.id}`;
  const sealed = row?.['token_sealed'] as Buffer;
  assert.equal(sealed.includes('documentation_only'), false);
  const events =
    await sql`select action from audit_events where action like 'telegram_bot.%' and tenant_id = ${tenant.id}`;
  assert.equal(events.length, 1);
  assert.equal(await bots.remove(tenant.id, by), true);
  assert.equal(bots.of(tenant.id), undefined);
  assert.deepEqual(fake.problems, []);
});
