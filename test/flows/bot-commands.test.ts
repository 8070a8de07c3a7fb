import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { type BotMessage, type Person, telegramOf, textUpdate } from '../telegram/person.ts';

// What a person may do in the bot besides signing in, through the simulated Telegram.

let app: TestApp;
let telegram: ReturnType<typeof telegramOf>;
before(async () => {
  app = await createTestApp();
  telegram = telegramOf(app);
});
after(() => app.close());

let lastId = 800_000_000;
const somebody = (more: Partial<Person> = {}): Person => ({ id: ++lastId, first_name: 'Ada', ...more });

/** Starts the bot and signs in on a site, in a browser of this name; gives the token. */
async function signInOnSite(person: Person, device: string): Promise<string> {
  await telegram.write(person, '/start');
  app.clock.advance(61);
  const newest = await app.newestMessage(String(person.id));
  const from = { from: `198.51.100.${person.id % 200}` };
  const sent = await app.post('/api/v1/auth/send-verification', { telegram_user_id: person.id }, from);
  const code = await app.code(String(person.id), { after: newest });
  const proof = {
    verification_id: sent.body.verification_id,
    code,
    device: { name: device },
    style: 'opaque',
  };
  const proved = await app.post('/api/v1/auth/verify-code', proof, from);
  return proved.body.session_token as string;
}

async function signInHere(person: Person): Promise<string> {
  app.clock.advance(61);
  const newest = await app.newestMessage(String(person.id));
  const from = { from: `198.51.100.${person.id % 200}` };
  await app.post('/api/v1/auth/send-verification', { telegram_user_id: person.id }, from);
  const code = await app.code(String(person.id), { after: newest });
  const answer = await telegram.write(person, code);
  return /fps_[\w-]{80}/.exec(answer?.text ?? '')?.[0] ?? '';
}

const dataOf = (message: BotMessage | undefined): string[] =>
  (message?.buttons ?? []).flat().map((button) => button.callback_data ?? '');
const isAlive = async (token: string): Promise<boolean> =>
  (await app.get('/api/v1/auth/session', { token })).status === 200;

test('/devices lists where a person is signed in; a device ends by its button, after a question', async () => {
  const ada = somebody();
  assert.match((await telegram.write(ada, '/devices'))?.text ?? '', /signed in nowhere/);
  const [home, work] = [await signInOnSite(ada, 'Home'), await signInOnSite(ada, 'Work')];
  const here = await signInHere(ada);
  const list = await telegram.write(ada, '/devices');
  assert.match(list?.text ?? '', /1\. Telegram – this chat.*Work.*Home/s);
  const asks = dataOf(list);
  assert.equal(asks.length, 4, 'one for each, and one for all others');
  const question = await telegram.press(ada, asks[1] ?? '');
  assert.match(question?.text ?? '', /Sign out “Work”/);
  assert.equal(await isAlive(work), true, 'the question alone ends nothing');
  const done = await telegram.press(ada, dataOf(question)[0] ?? '');
  assert.match(done?.text ?? '', /Signed out: 1/);
  assert.deepEqual(await Promise.all([home, work, here].map(isAlive)), [true, false, true]);
  const again = await telegram.press(ada, dataOf(question)[0] ?? '');
  assert.match(again?.text ?? '', /already/);
  const others = await telegram.press(ada, 'devices:ask-others');
  await telegram.press(ada, dataOf(others)[0] ?? '');
  assert.deepEqual(await Promise.all([home, here].map(isAlive)), [false, true]);
});

test('nobody ends a device of somebody else, and no button of another prefix does anything', async () => {
  const ada = somebody();
  const mallory = somebody({ first_name: 'Mallory' });
  const token = await signInOnSite(ada, 'Home');
  await signInOnSite(mallory, 'Lair');
  const [ask] = dataOf(await telegram.write(ada, '/devices'));
  const end = (ask ?? '').replace('ask', 'end');
  assert.match((await telegram.press(mallory, end))?.text ?? '', /already/);
  await telegram.press(mallory, 'devices:end:not-an-id');
  await telegram.press(mallory, `${end}:more`);
  await telegram.press(mallory, 'admin:all');
  assert.equal(await isAlive(token), true);
});

test('/name names this chat among the devices, and only when signed in here', async () => {
  const ada = somebody();
  await signInOnSite(ada, 'Home');
  assert.match((await telegram.write(ada, '/name My phone'))?.text ?? '', /not signed in in this chat/);
  await signInHere(ada);
  assert.match((await telegram.write(ada, '/name'))?.text ?? '', /after the command/);
  assert.match((await telegram.write(ada, '/name a\u202eb'))?.text ?? '', /1 to 100/);
  assert.match((await telegram.write(ada, '/name My phone'))?.text ?? '', /“My phone”/);
  assert.match((await telegram.write(ada, '/devices'))?.text ?? '', /My phone – this chat/);
});

test('/logout ends what was begun in this chat, and offers the rest', async () => {
  const ada = somebody();
  const home = await signInOnSite(ada, 'Home');
  const here = await signInHere(ada);
  const answer = await telegram.write(ada, '/logout');
  assert.match(answer?.text ?? '', /signed out in this chat/);
  assert.deepEqual(await Promise.all([home, here].map(isAlive)), [true, false]);
  const question = await telegram.press(ada, dataOf(answer)[0] ?? '');
  assert.equal(await isAlive(home), true);
  assert.match((await telegram.press(ada, dataOf(question)[0] ?? ''))?.text ?? '', /Sessions ended: 1/);
  assert.equal(await isAlive(home), false);
});

test('the bot speaks the person’s language, and English where it has none', async () => {
  for (const [language_code, hello] of [
    ['ru', /Здравствуйте/],
    ['uz', /Salom/],
    ['fa', /سلام/],
    ['am', /ሰላም/],
    ['ru-RU', /Здравствуйте/],
    ['ja', /Hello/],
  ] as const) {
    assert.match((await telegram.write(somebody({ language_code }), '/start'))?.text ?? '', hello);
  }
});

test('a group gets one sentence, a channel none; a forwarded command and a bot are not obeyed', async () => {
  const ada = somebody();
  await signInOnSite(ada, 'Home');
  const before = (await telegram.messages(ada)).length;
  const group = { id: -1_000_123, type: 'supergroup', title: 'Friends' };
  const inGroup = textUpdate(ada, '/devices');
  await telegram.bring({ ...inGroup, message: { ...inGroup.message, chat: group } });
  assert.equal((await telegram.messages(ada)).length, before);
  const { body } = await app.get('/dev/messages?to=-1000123');
  assert.match(body[0].text, /private chat/);
  const channel = textUpdate(ada, '/devices');
  const post = { ...channel.message, chat: { id: -1_000_124, type: 'channel', title: 'News' } };
  await telegram.bring({ update_id: channel.update_id, channel_post: post });
  assert.deepEqual((await app.get('/dev/messages?to=-1000124')).body, []);
  const forwarded = textUpdate(ada, '/devices');
  const origin = { type: 'hidden_user', sender_user_name: 'X', date: 1 };
  await telegram.bring({ ...forwarded, message: { ...forwarded.message, forward_origin: origin } });
  assert.match((await telegram.messages(ada))[0]?.text ?? '', /did not understand/);
  const business = textUpdate(ada, '/devices');
  await telegram.bring({ ...business, message: { ...business.message, business_connection_id: 'b' } });
  const robot = textUpdate(ada, '/devices');
  const from = { ...robot.message.from, is_bot: true };
  await telegram.bring({ ...robot, message: { ...robot.message, from } });
  assert.equal((await telegram.messages(ada)).length, before + 1);
});

test('a bare /start and a link that nobody made say nothing of anybody', async () => {
  const ada = somebody();
  assert.match((await telegram.write(ada, '/start'))?.text ?? '', /user id/);
  const unknown = await telegram.write(ada, '/start abcdef');
  assert.match(unknown?.text ?? '', /does not work/);
  assert.equal((await telegram.write(ada, `/start ${'a'.repeat(65)}`))?.text, unknown?.text);
});

test('updates of every odd shape are taken and do nothing', async () => {
  const odd = [
    {},
    { message: {} },
    { message: { chat: { id: 1 } } },
    { callback_query: {} },
    { poll: { id: '1' } },
  ];
  for (const [index, update] of odd.entries()) {
    const { status } = await telegram.bring({ update_id: 5_000_000 + index, ...update });
    assert.ok(status === 200 || status === 503, JSON.stringify(update));
  }
  assert.equal((await telegram.bring({ update_id: 'x' })).status, 400);
  const ada = somebody();
  const { message } = textUpdate(ada, '/start');
  for (let count = 1; count <= 2; count++) {
    assert.equal((await telegram.bring({ message })).status, 200, 'for development it may have no id');
    assert.equal((await telegram.messages(ada)).length, count);
  }
});
