import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { contactUpdate, type Person, pressUpdate, telegramOf } from '../telegram/person.ts';

const DAY = 86_400;
let app: TestApp;
let telegram: ReturnType<typeof telegramOf>;
before(async () => {
  app = await createTestApp({ tenants: { us: { delivery: { routes: { default: ['telegram', 'sms'] } } } } });
  telegram = telegramOf(app, 'us');
});
after(() => app.close());

let last = 830_000_000;
/** Somebody whose number was proved in their chat by their own contact. */
async function linkedPerson(): Promise<{ person: Person; phone: string }> {
  const person = { id: ++last, first_name: 'Ada' };
  const phone = `+1202556${String(last).slice(-4)}`;
  await share(person, phone);
  return { person, phone };
}

const share = (person: Person, phone: string): Promise<unknown> =>
  telegram.bring(contactUpdate(person, { phone_number: phone.slice(1), user_id: person.id }));

interface Message {
  channel: string;
  code: string | null;
  text: string;
  buttons?: { callback_data?: string; request_contact?: boolean }[][];
}

/** Asks for a code, and waits until just this has arrived, at the number and in the chat. */
async function ask(
  { person, phone }: { person: Person; phone: string },
  wanted: string[],
): Promise<Message[]> {
  const seen = new Set((await inbox(person, phone)).map(({ id }) => id));
  const sent = await app.post('/api/v1/auth/send-verification', { phone }, { headers: { 'x-tenant': 'us' } });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  let arrived: Message[] = [];
  for (
    let attempt = 0;
    attempt < 400 && (arrived.length < wanted.length || (await queued()) > 0);
    attempt++
  ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    arrived = (await inbox(person, phone)).filter(({ id }) => !seen.has(id));
  }
  assert.deepEqual(ways(arrived), wanted);
  return arrived;
}

async function inbox(person: Person, phone: string): Promise<(Message & { id: string })[]> {
  const [chat, sms] = await Promise.all([
    app.get(`/dev/messages?to=${person.id}`),
    app.get(`/dev/messages?to=${encodeURIComponent(phone)}`),
  ]);
  return [...chat.body, ...sms.body];
}

async function queued(): Promise<number> {
  const [row] = await app.databases.of('us').sql<{ waiting: number }[]>`
    select count(*)::int as waiting from messages where state in ('queued', 'sending')`;
  return row?.waiting ?? 0;
}

const ways = (messages: readonly Message[]): string[] =>
  messages.map(({ channel, code }) => `${channel} ${code === null ? 'notice' : 'code'}`).sort();

async function askedAgain(person: Person): Promise<number> {
  const [row] = await app.databases.of('us').sql<{ asked: number }[]>`
    select count(*)::int as asked from audit_events
    where action = 'chat.proof_asked' and subject = ${`telegram_chat:${person.id}`}`;
  return row?.asked ?? 0;
}

test('C7 ninety days after its proof a chat gets no codes: they come by SMS, and the bot asks for the contact once a day', async () => {
  const somebody = await linkedPerson();
  app.clock.advance(89 * DAY);
  await ask(somebody, ['telegram code']);
  app.clock.advance(DAY);
  const messages = await ask(somebody, ['sms code', 'telegram notice']);
  const notice = messages.find(({ channel }) => channel === 'telegram');
  assert.match(notice?.text ?? '', /no longer come to this chat: prove your number again/);
  app.clock.advance(61);
  await ask(somebody, ['sms code']);
  app.clock.advance(DAY);
  await ask(somebody, ['sms code', 'telegram notice']);
  assert.equal(await askedAgain(somebody.person), 2, 'each asking is one event');

  // Its button is answered with Telegram's own, which proves the number again.
  const data = notice?.buttons?.[0]?.[0]?.callback_data ?? '';
  const before = (await inbox(somebody.person, somebody.phone)).length;
  await telegram.bring(pressUpdate(somebody.person, data));
  const answers = await inbox(somebody.person, somebody.phone);
  assert.ok(answers.length > before);
  assert.deepEqual(answers[0]?.buttons?.[0]?.[0]?.request_contact, true, answers[0]?.text);
  await share(somebody.person, somebody.phone);
  app.clock.advance(61);
  await ask(somebody, ['telegram code']);
});

test('C7 however often codes are asked for, a chat is asked once a day', async () => {
  const somebody = await linkedPerson();
  app.clock.advance(91 * DAY);
  await ask(somebody, ['sms code', 'telegram notice']);
  for (let again = 0; again < 3; again++) {
    app.clock.advance(61);
    await ask(somebody, ['sms code']);
  }
  assert.equal(await askedAgain(somebody.person), 1);
});

test('C7 a tenant chooses the days, and may choose none', async () => {
  const somebody = await linkedPerson();
  const tenant = app.app.tenants.bySlug('us');
  assert.ok(tenant);
  const setDays = (days: number) =>
    app.app.tenants.update(tenant, {
      settings: { ...tenant.settings, telegram: { reprove_after_days: days } },
    });
  await setDays(5);
  app.clock.advance(4 * DAY);
  await ask(somebody, ['telegram code']);
  app.clock.advance(DAY);
  await ask(somebody, ['sms code', 'telegram notice']);
  await setDays(0);
  app.clock.advance(400 * DAY);
  await ask(somebody, ['telegram code']);
  await setDays(90);
});
