import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { type Person, telegramOf, textUpdate } from '../telegram/person.ts';

// A recycled number (S35) in the bot: the contact or the code alone does not open an account that lay idle.

let app: TestApp;
let telegram: ReturnType<typeof telegramOf>;
before(async () => {
  app = await createTestApp();
  telegram = telegramOf(app, 'us');
});
after(() => app.close());

let lastId = 820_000_000;
let lastPhone = 2_025_557_100;
const somebody = (): Person => ({ id: ++lastId, first_name: 'Ada', language_code: 'en' });
const sql = () => app.databases.of('us').sql;

/** The own contact is shared; gives what the bot says. */
async function share(person: Person, phone: string) {
  const update = textUpdate(person, 'x');
  const { text: _text, ...message } = update.message;
  const contact = { first_name: 'Ada', phone_number: phone, user_id: person.id };
  await telegram.bring({ ...update, message: { ...message, contact } });
  const [newest] = await telegram.messages(person);
  return newest;
}

const tokenIn = (text = '') => /fps_[\w-]{80}/.exec(text)?.[0];
const userOf = async (token: string | undefined): Promise<string> =>
  (await app.get('/api/v1/auth/me', { token })).body.user.id;

/** An account of a chat, with an e-mail address, that nobody has used for a long time. */
async function idleOwner() {
  const owner = somebody();
  const phone = `1${++lastPhone}`;
  const token = tokenIn((await share(owner, phone))?.text);
  assert.ok(token);
  const userId = await userOf(token);
  const email = `bot-${lastPhone}@example.com`;
  const sent = await app.post('/api/v1/auth/identities', { email }, { token });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const code = await app.code(email);
  const linked = { verification_id: sent.body.verification_id, code };
  assert.equal((await app.post('/api/v1/auth/verify-code', linked, { token })).status, 200);
  app.clock.advance(91 * 86_400);
  await app.app.worker.sweep();
  return { owner, phone, email, userId };
}

test('S35 in the bot a number asks for one more way; a code to the e-mail address is typed in the same chat', async () => {
  const { phone, email, userId } = await idleOwner();
  const other = somebody();
  const asked = await share(other, phone);
  assert.match(asked?.text ?? '', /not been used for a long time/);
  const [send, begin] = (asked?.buttons ?? []).map(([button]) => button);
  assert.ok(send?.callback_data && begin?.callback_data);
  assert.match(send.text, /Send a code to b.*@example\.com/);
  assert.doesNotMatch(send.text, new RegExp(email));
  assert.ok(Buffer.byteLength(send.callback_data) <= 64 && Buffer.byteLength(begin.callback_data) <= 64);
  const before = await app.newestMessage(email);
  await telegram.press(other, send.callback_data);
  const code = await app.code(email, { after: before });
  await telegram.write(other, code);
  const texts = (await telegram.messages(other)).map(({ text }) => tokenIn(text));
  assert.equal(await userOf(texts.find((token) => token !== undefined)), userId);
  const [chat] = await sql()`select chat_id::text as id from telegram_chats where user_id = ${userId}`;
  assert.equal(chat?.['id'], String(other.id), 'the chat is the account’s from then on');
});

test('S35 in the bot a new holder begins anew, once; the former account keeps its chat', async () => {
  const { owner, phone, userId } = await idleOwner();
  const other = somebody();
  const asked = await share(other, phone);
  const begin = asked?.buttons?.at(-1)?.[0]?.callback_data ?? '';
  const done = await telegram.press(other, begin);
  const token = tokenIn(done?.text);
  const anew = await userOf(token);
  assert.notEqual(anew, userId);
  assert.match((await telegram.press(other, begin))?.text ?? '', /Too much time/);
  const chats =
    await sql()`select user_id, chat_id::text as id from telegram_chats where user_id in (${anew}, ${userId})`;
  assert.deepEqual(
    new Map(chats.map(({ user_id, id }) => [user_id as string, id as string])),
    new Map([
      [anew, String(other.id)],
      [userId, String(owner.id)],
    ]),
  );
});

test('S35 the chat that the account has is a second proof: its owner comes back after years', async () => {
  const { owner, phone, userId } = await idleOwner();
  app.clock.advance(700 * 86_400);
  assert.equal(await userOf(tokenIn((await share(owner, phone))?.text)), userId);
});
