import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { persianDigits } from '../persian-digits.ts';
import { type BotMessage, contactUpdate, type Person, telegramOf, textUpdate } from '../telegram/person.ts';

// What people really type, and whether the bot's answer tells them what to do next.

let app: TestApp;
let telegram: ReturnType<typeof telegramOf>;
before(async () => {
  app = await createTestApp();
  telegram = telegramOf(app);
  const settings = {
    mail: { identifiers: ['email'] },
    ir: { default_country: 'IR' },
    closed: { tolls: { countries: ['US'] } },
  };
  for (const [slug, its] of Object.entries(settings)) {
    const headers = { 'x-api-key': app.apiKey };
    const made = await app.post('/api/v1/admin/tenants', { slug, name: slug, settings: its }, { headers });
    assert.equal(made.status, 201, JSON.stringify(made.body));
  }
});
after(() => app.close());

let lastId = 830_000_000;
const somebody = (more: Partial<Person> = {}): Person => ({ id: ++lastId, first_name: 'Ada', ...more });
let lastPhone = 2_025_551_100;
const newPhone = () => `+1${++lastPhone}`;

const say = async (person: Person, text: string, tenant?: string): Promise<string> =>
  (await telegramOf(app, tenant).write(person, text))?.text ?? '';

async function share(person: Person, phone: string, tenant?: string): Promise<BotMessage | undefined> {
  const bot = telegramOf(app, tenant);
  await bot.bring(contactUpdate(person, { phone_number: phone, user_id: person.id }));
  return (await bot.messages(person))[0];
}

test('where people sign in by phone, /start, /help and who is not signed in name /auth; elsewhere nothing does', async () => {
  for (const text of ['/start', '/help', '/logout', '/devices', '/name My phone']) {
    assert.match(await say(somebody(), text), /\/auth/, text);
    assert.doesNotMatch(await say(somebody(), text, 'mail'), /\/auth/, text);
  }
  for (const text of ['/auth', '/auth +12025550123', '+12025550123']) {
    assert.match(await say(somebody(), text, 'mail'), /Nobody signs in by phone/, text);
  }
  assert.match((await share(somebody(), '12025550123', 'mail'))?.text ?? '', /Nobody signs in by phone/);
});

test('a number that is none is called so, however it is typed, and a code is asked for by no word of it', async () => {
  const numbers = [
    '/auth 12345',
    '/auth abc',
    '+1 234',
    '+1 234 567 890',
    '(0935) 432-83-38',
    '09354328338',
    '/auth 09354328338',
  ];
  for (const text of numbers) {
    const answer = await say(somebody(), text);
    assert.match(answer, /number cannot be used.*country code/, text);
    assert.doesNotMatch(answer, /code consists/, text);
  }
  // Telegram's own anonymous numbers are in no numbering plan.
  assert.match((await share(somebody(), '88801234567'))?.text ?? '', /number cannot be used/);
});

test('a number is typed as at home where the tenant has a country, and with the digits of the keyboard', async () => {
  for (const text of ['0935 432 8331', '۰۹۳۵۴۳۲۸۳۳۲', '/auth 09354328333', '\u200e+98 (935) 432-83-34']) {
    assert.match(await say(somebody(), text, 'ir'), /on its way to \+98/, text);
  }
});

test('a code is taken as it is typed: with spaces, dashes, Persian digits, after /verify or alone', async () => {
  const shapes: ((code: string) => string)[] = [
    (code) => `${code.slice(0, 3)} ${code.slice(3)}`,
    (code) => `/verify ${code.slice(0, 3)}-${code.slice(3)}`,
    persianDigits,
    (code) => code.replace(/\d/g, (digit) => String.fromCharCode(0x0660 + Number(digit))),
  ];
  for (const shape of shapes) {
    const [person, phone] = [somebody(), newPhone()];
    await say(person, phone);
    assert.match(await say(person, shape(await app.code(phone))), /you are signed in/);
  }
});

test('where a code was sent a moment ago the bot says when another can be', async () => {
  const [person, phone] = [somebody(), newPhone()];
  await say(person, phone);
  assert.match(
    await say(person, phone),
    /sent there a moment ago\. Another can be sent in \d+ (?:second|minute)s?\./,
  );
});

test('/cancel lets somebody who mistyped a number share their contact, and takes the keyboard away', async () => {
  const [person, typed, own] = [somebody(), newPhone(), newPhone()];
  assert.match(await say(person, typed), /\/cancel/);
  const code = await app.code(typed);
  assert.match((await share(person, own))?.text ?? '', /another number before.*\/cancel/);
  assert.match(await say(person, '/cancel'), /Cancelled/);
  assert.match(await say(person, code), /wait for no code here/, 'what was cancelled is worth nothing here');
  assert.match((await share(person, own))?.text ?? '', /you are signed in/);
  assert.match(await say(somebody(), '/cancel'), /Cancelled/, 'with nothing to cancel, too');
});

test('a code that belongs on the site is said to belong there, and is still good there', async () => {
  const [person, phone] = [somebody(), newPhone()];
  await share(person, phone);
  app.clock.advance(61);
  const newest = await app.newestMessage(String(person.id));
  const tenant = { headers: { 'x-tenant': 'default' } };
  const sent = await app.post('/api/v1/auth/send-verification', { phone, channel: 'telegram' }, tenant);
  assert.equal(sent.body.channel, 'telegram');
  const code = await app.code(String(person.id), { after: newest });
  assert.match(await say(person, code), /belongs where you asked for it: type it there/);
  const proof = { verification_id: sent.body.verification_id, code };
  assert.equal((await app.post('/api/v1/auth/verify-code', proof)).status, 200);
});

test('where no code can go, the own number may be shared instead: the button comes with the refusal', async () => {
  const person = somebody();
  const refused = await telegramOf(app, 'closed').write(person, '+989354328340');
  assert.match(refused?.text ?? '', /not served here\. You can share your own number instead/);
  assert.deepEqual(refused?.buttons, [[{ text: 'Share my phone number', request_contact: true }]]);
  assert.match((await share(person, '989354328340', 'closed'))?.text ?? '', /you are signed in/);
});

test('what Telegram notes in a chat by itself is answered by nothing; a sticker is not understood', async () => {
  const person = somebody();
  await say(person, '/start');
  const before = (await telegram.messages(person)).length;
  const note = async (content: Record<string, unknown>) => {
    const { update_id, message } = textUpdate(person, 'x');
    const { text: _text, ...around } = message;
    await telegram.bring({ update_id, message: { ...around, ...content } });
  };
  await note({ write_access_allowed: { from_request: true } });
  await note({ pinned_message: { message_id: 1, date: 0, chat: { id: person.id, type: 'private' } } });
  assert.equal((await telegram.messages(person)).length, before);
  await note({ sticker: { file_id: 'x', file_unique_id: 'y', type: 'regular', width: 1, height: 1 } });
  assert.equal((await telegram.messages(person)).length, before + 1);
});

test('a contact that is shared in a group gets one sentence, which says where to share it', async () => {
  const person = somebody();
  const group = { chat: { id: -100_300, type: 'group', title: 'Friends' } };
  await telegram.bring(contactUpdate(person, { phone_number: '12025550199', user_id: person.id }, group));
  assert.match((await app.get('/dev/messages?to=-100300')).body[0]?.text ?? '', /private chat/);
});

test('in a group a command for another bot is none of its business', async () => {
  const commands = [
    ['/start@other_bot', 0],
    ['/start@Firstproof__Simulated_Bot', 1],
    ['/start', 2],
  ] as const;
  for (const [text, answers] of commands) {
    const { update_id, message } = textUpdate(somebody(), text);
    const chat = { id: -100_301, type: 'group', title: 'Friends' };
    await telegram.bring({ update_id, message: { ...message, chat } });
    assert.equal((await app.get('/dev/messages?to=-100301')).body.length, answers, text);
  }
});

test('names of any letters are greeted and shown whole: nothing that Telegram would refuse to carry', async () => {
  assert.match(await say(somebody({ first_name: '\u202e' }), '/start'), /^Hello!/);
  const emoji = somebody({ first_name: '😀'.repeat(60) });
  assert.equal((await say(emoji, '/start')).isWellFormed(), true);
  const person = somebody();
  await share(person, newPhone().slice(1));
  await say(person, `/name ${'x'.repeat(38)}😀😀😀`);
  const list = await telegram.write(person, '/devices');
  for (const { text } of (list?.buttons ?? []).flat()) assert.equal(text.isWellFormed(), true, text);
});
