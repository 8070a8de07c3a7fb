import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { DeliveryReport, Envelope } from '../../src/delivery/delivery.ts';
import type { LogFields } from '../../src/kernel/log.ts';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';
import { createTestProvider, refuses, sends, type TestProvider, throws } from './test-provider.ts';

const AUTH = '/api/v1/auth';

let app: TestApp;
let telegram: TestProvider;
let cheap: TestProvider;
let dear: TestProvider;
let voice: TestProvider;
let counter = 0;
/** Ids of the messages that the gateway was asked to take back. */
const takenBack: string[] = [];

before(async () => {
  telegram = createTestProvider(sends, { name: 'gateway', channels: ['telegram'], reachesByPhone: true });
  telegram.revoke = async (messageId) => void takenBack.push(messageId);
  cheap = createTestProvider(sends, { name: 'cheap' });
  dear = createTestProvider(sends, { name: 'dear' });
  voice = createTestProvider(sends, { name: 'caller', channels: ['voice'] });
  app = await createTestApp({
    env: { FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '100000' },
    providers: [telegram, dear, cheap, voice],
    tenants: {
      us: {
        channels: ['sms', 'telegram', 'voice'],
        delivery: {
          routes: { default: ['telegram', 'sms', 'voice'], CA: ['voice'] },
          next_channel_after_seconds: 20,
          order: 'cheapest',
          prices: { dear: { default: 0.02 }, cheap: { US: 0.005, default: 0.03 }, caller: { default: 0.1 } },
        },
      },
    },
  });
});
after(() => app.close());
beforeEach(async () => {
  for (const provider of [telegram, cheap, dear, voice]) provider.behave = sends;
  app.clock.advance(86_400);
  await app.app.worker.dispatch();
  for (const provider of [telegram, cheap, dear, voice]) provider.given = [];
});

interface MessageRow {
  state: string;
  channel: string;
  wiped: boolean;
  error: string | null;
  sends: { channel: string; provider: string; state: string; price: string; id: string | null }[];
}

async function messageOf(phone: string): Promise<MessageRow> {
  const { sql } = app.databases.of('us');
  const [row] = await sql<MessageRow[]>`
    select m.state, m.channel, m.payload_sealed is null as wiped, m.error, coalesce((
      select jsonb_agg(jsonb_build_object('channel', d.channel, 'provider', d.provider, 'state', d.state,
        'price', d.price::text, 'id', d.provider_message_id) order by d.place)
      from message_sends d where d.tenant_id = m.tenant_id and d.message_id = m.id), '[]') as sends
    from messages m join verifications v on v.tenant_id = m.tenant_id and v.id = m.verification_id
    where v.value = ${phone} order by m.id desc limit 1`;
  if (!row) throw new Error(`no message for ${phone}`);
  return row;
}

async function sendCode(
  more: Record<string, unknown> = {},
): Promise<{ phone: string; id: string; channel: string }> {
  const phone = `+1415555${String(3000 + counter++)}`;
  const { status, body } = await app.post(`${AUTH}/send-verification`, { phone, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return { phone, id: body.verification_id, channel: body.channel };
}

async function reaches(phone: string, state: string, channel: string): Promise<MessageRow> {
  await until(async () => {
    const row = await messageOf(phone);
    return row.state === state && row.channel === channel;
  });
  return messageOf(phone);
}

const codesFor = (phone: string): Set<string | null> => {
  const given = [telegram, cheap, dear, voice].flatMap((provider) => provider.given);
  return new Set(given.filter((envelope) => envelope.to === phone).map((envelope) => envelope.code));
};

const reportOf = (row: MessageRow, place: number, state: DeliveryReport['state']): DeliveryReport => ({
  provider: row.sends[place]?.provider ?? '',
  providerMessageId: row.sends[place]?.id ?? '',
  state,
});

test('R03 a refusal leads to the next channel at once, with the same code', async () => {
  telegram.behave = refuses('not on Telegram');
  const { phone, channel } = await sendCode();
  assert.equal(channel, 'telegram');
  const row = await reaches(phone, 'sent', 'sms');
  assert.deepEqual(
    row.sends.map((send) => [send.channel, send.provider, send.state, Number(send.price)]),
    [
      ['telegram', 'gateway', 'refused', 0],
      ['sms', 'cheap', 'sent', 0.005],
    ],
  );
  assert.equal(codesFor(phone).size, 1);
  assert.equal(row.wiped, false, 'a call may still be needed');
});

test('R03 silence leads on after the tenant’s time, never after the code was used or has expired', async () => {
  const silent = await sendCode();
  const used = await sendCode();
  for (const { phone } of [silent, used]) await reaches(phone, 'sent', 'telegram');
  const [code] = codesFor(used.phone);
  const proof = { verification_id: used.id, verification_code: code };
  assert.equal((await app.post(`${AUTH}/verify-code`, proof)).status, 201);
  app.clock.advance(19);
  await app.app.worker.dispatch();
  assert.equal((await messageOf(silent.phone)).channel, 'telegram');
  app.clock.advance(1);
  await app.app.worker.dispatch();
  await reaches(silent.phone, 'sent', 'sms');
  const row = await messageOf(used.phone);
  assert.deepEqual([row.state, row.channel, row.wiped], ['sent', 'telegram', true]);
  app.clock.advance(20);
  await app.app.worker.dispatch();
  const last = await reaches(silent.phone, 'sent', 'voice');
  assert.equal(last.wiped, true, 'nothing may follow');
  assert.equal(codesFor(silent.phone).size, 1);

  const late = await sendCode();
  await reaches(late.phone, 'sent', 'telegram');
  app.clock.advance(300);
  await app.app.worker.dispatch();
  const expired = await messageOf(late.phone);
  assert.deepEqual([expired.state, expired.channel, expired.wiped], ['sent', 'telegram', true]);
});

test('what a channel before the last has brought is taken back once its code is spent, to sign in and to link', async () => {
  takenBack.length = 0;
  const silent = async (phone: string): Promise<MessageRow> => {
    await reaches(phone, 'sent', 'telegram');
    app.clock.advance(20);
    await app.app.worker.dispatch();
    return reaches(phone, 'sent', 'sms');
  };
  const { phone, id } = await sendCode();
  const row = await silent(phone);
  const [code] = codesFor(phone);
  const { body, status } = await app.post(`${AUTH}/verify-code`, { verification_id: id, code });
  assert.equal(status, 201);
  await until(() => takenBack.length === 1);

  const other = `+1415555${String(3000 + counter++)}`;
  const token = { token: body.access_token as string };
  const begun = await app.post(`${AUTH}/identities`, { phone: other }, token);
  assert.equal(begun.status, 200, JSON.stringify(begun.body));
  const linking = await silent(other);
  const [second] = codesFor(other);
  const proof = { verification_id: begun.body.verification_id, code: second };
  assert.equal((await app.post(`${AUTH}/verify-code`, proof, token)).status, 200);
  await until(() => takenBack.length === 2);
  assert.deepEqual(takenBack, [row.sends[0]?.id, linking.sends[0]?.id], 'the SMS that was read stays');
});

test('S42 a failed report leads on once, however often and in whatever order it comes', async () => {
  const { phone } = await sendCode();
  const first = await reaches(phone, 'sent', 'telegram');
  const report = (reports: DeliveryReport[]) => app.app.delivery.report(reports);
  assert.deepEqual(await report([reportOf(first, 0, 'sent')]), { applied: 0, repeated: 1, unknown: 0 });
  const failed = reportOf(first, 0, 'failed');
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => report([failed])));
  assert.equal(
    outcomes.reduce((sum, { applied }) => sum + applied, 0),
    1,
  );
  const second = await reaches(phone, 'sent', 'sms');
  assert.equal(cheap.given.filter((envelope) => envelope.to === phone).length, 1);
  await report([failed, reportOf(first, 0, 'delivered'), reportOf(first, 0, 'sent')]);
  assert.deepEqual(await messageOf(phone), second, 'states never go backwards');
  await report([reportOf(second, 1, 'delivered')]);
  const done = await messageOf(phone);
  assert.deepEqual(
    [done.state, done.wiped, done.sends.map((send) => send.state)],
    ['delivered', true, ['failed', 'delivered']],
  );
  await report([reportOf(second, 1, 'failed')]);
  assert.deepEqual(await messageOf(phone), done);
  app.clock.advance(60);
  await app.app.worker.dispatch();
  assert.equal(voice.given.length, 0, 'what has arrived is not sent again');
});

test('S42 a report of an unknown message, or under another tenant’s name, changes nothing', async () => {
  const { phone } = await sendCode();
  const row = await reaches(phone, 'sent', 'telegram');
  const stranger = app.app.tenants.bySlug('uz')?.id ?? '';
  const unknown = await app.app.delivery.report([
    { ...reportOf(row, 0, 'failed'), tenantId: stranger },
    { ...reportOf(row, 0, 'failed'), providerMessageId: 'nobody knows' },
    { ...reportOf(row, 0, 'failed'), provider: 'cheap' },
  ]);
  assert.deepEqual(unknown, { applied: 0, repeated: 0, unknown: 3 });
  assert.deepEqual(await messageOf(phone), row);
});

test('S42 a report that overtakes the statement that writes its message is not lost', async () => {
  let report: Promise<unknown> = Promise.resolve();
  telegram.behave = async (envelope) => {
    report = app.app.delivery.report([
      { provider: 'gateway', providerMessageId: envelope.id, state: 'failed' },
    ]);
    await report;
    return sends(envelope);
  };
  const { phone } = await sendCode();
  await reaches(phone, 'sent', 'sms');
});

test('R03 what is reported delivered while the next channel is tried stays delivered', async () => {
  const { phone } = await sendCode();
  const first = await reaches(phone, 'sent', 'telegram');
  const release = Promise.withResolvers<void>();
  cheap.behave = async (envelope) => {
    await release.promise;
    return sends(envelope);
  };
  app.clock.advance(20);
  await app.app.worker.dispatch();
  await until(() => cheap.given.length === 1);
  await app.app.delivery.report([reportOf(first, 0, 'delivered')]);
  release.resolve();
  const row = await reaches(phone, 'delivered', 'sms');
  assert.equal(row.wiped, true);
  app.clock.advance(60);
  await app.app.worker.dispatch();
  assert.equal(voice.given.length, 0);
});

test('R03 a provider that fails hands over to the next of its channel, the cheapest first', async () => {
  cheap.behave = throws;
  const { phone } = await sendCode({ channel: 'sms' });
  const row = await reaches(phone, 'sent', 'sms');
  assert.deepEqual([cheap.given.length, dear.given.length], [1, 1]);
  assert.deepEqual(
    row.sends.map((send) => [send.provider, Number(send.price)]),
    [['dear', 0.02]],
  );
});

test('R03 an alarm is tried with another provider; a recipient out of reach is not tried by that channel again', async () => {
  cheap.behave = refuses('bad credentials', 'alarm');
  dear.behave = refuses('unreachable', 'suppress');
  const { phone } = await sendCode({ channel: 'sms' });
  const row = await reaches(phone, 'sent', 'telegram');
  assert.deepEqual(
    row.sends.map((send) => [send.provider, send.state]),
    [
      ['cheap', 'refused'],
      ['dear', 'refused'],
      ['gateway', 'sent'],
    ],
  );
  for (const provider of [cheap, dear]) {
    provider.behave = sends;
    provider.given = [];
  }
  app.clock.advance(600);
  const again = await app.post(`${AUTH}/send-verification`, { phone, channel: 'sms' });
  assert.equal(again.status, 200);
  await reaches(phone, 'sent', 'telegram');
  assert.deepEqual([cheap.given, dear.given], [[], []]);
  app.clock.advance(7 * 86_400);
  await app.app.worker.sweep();
  assert.equal((await app.post(`${AUTH}/send-verification`, { phone, channel: 'sms' })).status, 200);
  await reaches(phone, 'sent', 'sms');
});

test('R03 the person’s own choice goes first, a country has its own route, and a channel that is closed is refused', async () => {
  const chosen = await sendCode({ channel: 'voice' });
  assert.equal(chosen.channel, 'voice');
  await reaches(chosen.phone, 'sent', 'voice');
  app.clock.advance(20);
  await app.app.worker.dispatch();
  await reaches(chosen.phone, 'sent', 'telegram');
  const canada = await app.post(`${AUTH}/send-verification`, { phone: '+16135550123' });
  assert.equal(canada.body.channel, 'voice');
  const uz = await app.post(`${AUTH}/send-verification`, { phone: '+998901112233', channel: 'voice' });
  assert.deepEqual([uz.status, uz.body.error], [503, 'CHANNEL_UNAVAILABLE']);
  const email = await app.post(`${AUTH}/send-verification`, { phone: '+16135550124', channel: 'email' });
  assert.equal(email.status, 400);
});

test('R03 minutes told by a later channel are those that are left', async () => {
  const { phone } = await sendCode();
  await reaches(phone, 'sent', 'telegram');
  app.clock.advance(100);
  await app.app.worker.dispatch();
  await reaches(phone, 'sent', 'sms');
  const expiry = (given: readonly Envelope[]) => given.find((envelope) => envelope.to === phone)?.expiresIn;
  assert.deepEqual([expiry(telegram.given), expiry(cheap.given)], [300, 200]);
});

test('R03 a channel whose providers a tenant has named, and that are not here, is not promised', async () => {
  const uz = app.app.tenants.bySlug('uz');
  assert.ok(uz);
  const send = (phone: string) => app.post(`${AUTH}/send-verification`, { phone });
  const misspelt = {
    delivery: { routes: { default: ['sms', 'voice'] as const }, providers: { sms: ['chaep'] } },
  };
  const change = (settings: object) =>
    app.app.tenants.update(uz, { settings: { ...uz.settings, ...settings } });
  await change({ ...misspelt, channels: ['sms', 'email'] });
  const closed = await send('+998901112244');
  assert.deepEqual([closed.status, closed.body.error], [503, 'CHANNEL_UNAVAILABLE']);
  const ways = await app.get('/api/v1/auth/ways?tenant=uz');
  assert.ok(!ways.body.by_code.includes('phone'), JSON.stringify(ways.body));
  await change({ ...misspelt, channels: ['sms', 'voice'] });
  const next = await send('+998901112245');
  assert.deepEqual([next.status, next.body.channel], [200, 'voice']);
});

test('R03 whom the Telegram Gateway does not reach gets codes in a chat that was linked since', async () => {
  const chat = createTestProvider(sends, { name: 'bot', channels: ['telegram'] });
  const gateway = createTestProvider(refuses('PHONE_NUMBER_NOT_FOUND', 'suppress'), {
    ...{ name: 'gateway', channels: ['telegram'], reachesByPhone: true },
  });
  const sms = createTestProvider(sends, { name: 'sms' });
  const routes: Record<string, ('telegram' | 'sms')[]> = { default: ['telegram', 'sms'] };
  const other = await createTestApp({
    providers: [chat, gateway, sms],
    tenants: { us: { channels: ['sms', 'telegram'], delivery: { routes } } },
  });
  try {
    const phone = '+14155554999';
    const send = async (): Promise<string> => {
      const { status, body } = await other.post(`${AUTH}/send-verification`, { phone });
      assert.equal(status, 200, JSON.stringify(body));
      return body.verification_id;
    };
    const handle = await send();
    await until(() => sms.given.length === 1);
    const proof = { verification_id: handle, verification_code: sms.given[0]?.code };
    const made = await other.post(`${AUTH}/verify-code`, proof);
    assert.equal(made.status, 201);
    await send();
    await until(() => sms.given.length === 2);
    assert.equal(gateway.given.length, 1, 'not asked again');

    const tenant = other.app.tenants.bySlug('us')?.id ?? '';
    const now = other.clock.now();
    await other.databases.of('us').sql`
      insert into telegram_chats (tenant_id, chat_id, telegram_user_id, user_id, linked_at, first_seen, last_seen)
      values (${tenant}, 77001, 77001, ${made.body.user.id}, ${now}, ${now}, ${now})`;
    other.clock.advance(61);
    await send();
    await until(() => chat.given.length === 1 || sms.given.length === 3);
    assert.deepEqual([chat.given[0]?.to, gateway.given.length, sms.given.length], ['77001', 1, 2]);
  } finally {
    await other.close();
  }
});

test('R03 a message that its provider refused, and that has no other way, is told in the log without its address', async () => {
  const told: (LogFields & { message: string })[] = [];
  const keep = (fields: LogFields, message: string): void => void told.push({ ...fields, message });
  const only = createTestProvider(refuses('acme 7'), { name: 'acme' });
  const other = await createTestApp({
    providers: [only],
    log: { debug() {}, info() {}, warn: keep, error: keep },
    tenants: { us: { channels: ['sms'] } },
  });
  try {
    const phone = '+14155554998';
    assert.equal((await other.post(`${AUTH}/send-verification`, { phone })).status, 200);
    await until(() => told.some(({ event }) => event === 'message_failed'));
    const [line] = told.filter(({ event }) => event === 'message_failed');
    assert.deepEqual(
      [line?.tenant, line?.provider, line?.channel, line?.error],
      ['us', 'acme', 'sms', 'acme 7'],
    );
    assert.ok(line?.message_id);
    assert.ok(!JSON.stringify(told).includes('4155554998'));
  } finally {
    await other.close();
  }
});
