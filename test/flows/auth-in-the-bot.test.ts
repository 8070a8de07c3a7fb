import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { type BotMessage, contactUpdate, type Person, telegramOf } from '../telegram/person.ts';

// Flow C through the bot itself: /auth, the own contact, a typed number, the move and its undo.

let app: TestApp;
let telegram: ReturnType<typeof telegramOf>;
before(async () => {
  app = await createTestApp({ tenants: { uz: { telegram: { contact_proves_phone: false } } } });
  telegram = telegramOf(app, 'us');
});
after(() => app.close());

let lastId = 810_000_000;
const somebody = (more: Partial<Person> = {}): Person => ({ id: ++lastId, first_name: 'Ada', ...more });
let lastPhone = 2_025_550_100;
const newPhone = () => `1${++lastPhone}`;

const tokenIn = (messages: readonly BotMessage[]) =>
  messages.map(({ text }) => /fps_[\w-]{80}/.exec(text)?.[0]).find((token) => token !== undefined);
const alive = async (token: string | undefined) =>
  (await app.get('/api/v1/auth/session', { token })).status === 200;

async function share(person: Person, phone: string, more: Record<string, unknown> = {}) {
  const before = (await telegram.messages(person)).length;
  await telegram.bring(contactUpdate(person, { phone_number: phone, user_id: person.id }, more));
  const messages = await telegram.messages(person);
  return messages.slice(0, messages.length - before);
}

async function accountsOf(phone: string): Promise<number> {
  const rows = await app.databases.of('us').sql`select 1 from identities where value = ${`+${phone}`}`;
  return rows.length;
}

test('/auth asks for the contact; the own one signs in without an SMS, and writes everything at once', async () => {
  const ada = somebody();
  const phone = newPhone();
  const asked = await telegram.write(ada, '/auth');
  assert.deepEqual(asked?.buttons, [[{ text: 'Share my phone number', request_contact: true }]]);
  const token = tokenIn(await share(ada, phone));
  assert.equal(await alive(token), true);
  const { sql } = app.databases.of('us');
  const [row] = await sql`
    select u.is_verified, u.live_sessions, v.channel, v.consumed_at is not null as consumed, c.chat_id::text as chat,
      (select count(*)::int from verifications where value = ${`+${phone}`}) as verifications
    from identities i join users u on u.id = i.user_id join verifications v on v.id = u.verification_id
      join telegram_chats c on c.user_id = u.id where i.value = ${`+${phone}`}`;
  assert.deepEqual(
    { ...row },
    {
      is_verified: true,
      live_sessions: 1,
      channel: 'telegram_contact',
      consumed: true,
      chat: String(ada.id),
      verifications: 1,
    },
  );
  assert.equal((await app.get(`/dev/messages?to=%2B${phone}`)).body.length, 0, 'no SMS');
  assert.equal(tokenIn(await share(ada, phone)), token, 'again: the chat keeps its session');
});

test("S10 only the sender's own contact proves a phone", async () => {
  const cases: [string, Record<string, unknown>, Record<string, unknown>, RegExp | undefined][] = [
    ['without a user id', { user_id: undefined }, {}, /not your own/],
    ['of somebody else', { user_id: 42 }, {}, /not your own/],
    [
      'forwarded',
      {},
      { forward_origin: { type: 'hidden_user', date: 1, sender_user_name: 'x' } },
      /forwarded/i,
    ],
    ['by another bot', {}, { via_bot: { id: 5, is_bot: true, first_name: 'x' } }, /forwarded/i],
    ['in a group', {}, { chat: { id: -100, type: 'group', title: 'x' } }, undefined],
    ['of a business connection', {}, { business_connection_id: 'b' }, undefined],
    ['as a channel', {}, { sender_chat: { id: -5, type: 'channel', title: 'x' } }, undefined],
    [
      'with a second number',
      { vcard: 'BEGIN:VCARD\r\nTEL;CELL:+12025550999\r\nEND:VCARD' },
      {},
      /several numbers/,
    ],
    [
      'with a second number in a folded, grouped line',
      { vcard: 'BEGIN:VCARD\r\nitem1.TEL;TYPE=cell:+1202\r\n 5550999\r\nEND:VCARD' },
      {},
      /several numbers/,
    ],
  ];
  for (const [what, contact, more, sentence] of cases) {
    const person = somebody();
    const phone = newPhone();
    const own = { phone_number: phone, user_id: person.id };
    await telegram.write(person, '/start');
    const before = (await telegram.messages(person)).length;
    await telegram.bring(contactUpdate(person, { ...own, ...contact }, more));
    const messages = await telegram.messages(person);
    assert.equal(await accountsOf(phone), 0, what);
    assert.equal(tokenIn(messages), undefined, what);
    if (sentence === undefined) assert.equal(messages.length, before, `${what}: silence`);
    else assert.match(messages[0]?.text ?? '', sentence, what);
  }
});

test('S10 a contact of another number than the one that was typed is refused while that code lives', async () => {
  const person = somebody();
  const [typed, own] = [newPhone(), newPhone()];
  await telegram.write(person, `+${typed}`);
  assert.match((await share(person, own))[0]?.text ?? '', /another number/);
  assert.equal(await accountsOf(own), 0);
  app.clock.advance(301);
  assert.ok(tokenIn(await share(person, own)), 'once it has expired it may be');
});

test('a typed number gets a code by SMS, which is typed in the chat', async () => {
  const person = somebody();
  const phone = newPhone();
  const sent = await telegram.write(person, `/auth +${phone}`);
  assert.match(sent?.text ?? '', /A code is on its way to/);
  const code = await app.code(`+${phone}`);
  const wrong = await telegram.write(person, code === '111111' ? '222222' : '111111');
  assert.match(wrong?.text ?? '', /not right.*Tries left: 4/);
  const token = tokenIn([(await telegram.write(person, code)) as BotMessage]);
  assert.equal(await alive(token), true);
});

test('from another chat: the same account; the earlier chat is told, and its button undoes it once', async () => {
  const [owner, other] = [somebody(), somebody({ first_name: 'Mallory' })];
  const phone = newPhone();
  const first = tokenIn(await share(owner, phone));
  const taken = await share(other, phone);
  const second = tokenIn(taken);
  assert.notEqual(second, first);
  assert.match(taken[0]?.text ?? '', /another chat until now/);
  assert.equal(await accountsOf(phone), 1);
  let notice = (await telegram.messages(owner)).find(({ text }) => /moved to another/.test(text));
  for (let attempt = 0; !notice && attempt < 100; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    notice = (await telegram.messages(owner)).find(({ text }) => /moved to another/.test(text));
  }
  const data = notice?.buttons?.[0]?.[0]?.callback_data ?? '';
  assert.match(data, /^undo_move:/);
  assert.match(
    (await telegram.press(other, data))?.text ?? '',
    /can no longer be undone/,
    'not by the other',
  );
  assert.equal(await alive(second), true);
  assert.match((await telegram.press(owner, data))?.text ?? '', /account again/);
  assert.equal(await alive(second), false);
  assert.equal(await alive(first), true);
  assert.match((await telegram.press(owner, data))?.text ?? '', /undone already/);
});

test('where contacts are not taken, /auth asks for the number', async () => {
  const there = telegramOf(app, 'uz');
  const person = somebody();
  const asked = await there.write(person, '/auth');
  assert.match(asked?.text ?? '', /Type your phone number/);
  await there.bring(contactUpdate(person, { phone_number: '998901119988', user_id: person.id }));
  assert.match((await there.messages(person))[0]?.text ?? '', /not taken here/);
});
