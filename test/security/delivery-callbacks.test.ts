import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { createTestApp, type TestApp } from '../create-test-app.ts';
import { until } from '../model/system.ts';
import { answers, createFakeProvider, type FakeProvider } from '../providers/fake-provider.ts';
import { ACCOUNT, AUTH_TOKEN, GATEWAY_TOKEN, MESSAGING_SERVICE } from '../providers/providers.ts';

const PUBLIC = 'https://auth.test';
const TWILIO = '/callbacks/twilio/messaging';
const TELEGRAM = '/callbacks/telegram-gateway';
const SIGNED = '/callbacks/gateways/signed';
const SECRET = '/callbacks/gateways/secret';
const KEY = 'a-gateway-signs-with-this';

let app: TestApp;
let fake: FakeProvider;
let folder: string;
let counter = 0;
let nextId = '';

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'firstproof-'));
  const gateway = {
    send: { url: 'https://sms.example/' },
    success: {},
    message_id: { at: '/id' },
    channels: ['voice'],
  };
  const callback = {
    format: 'json',
    reports: '/all',
    message_id: '/id',
    state: '/s',
    states: { ok: 'delivered' },
  };
  const signature = {
    header: 'X-Signature',
    key: KEY,
    prefix: 'sha256=',
    timestamp_header: 'X-Time',
    separator: '.',
  };
  const recipes = {
    signed: { ...gateway, name: 'signed', callback: { ...callback, signature } },
    secret: {
      ...gateway,
      name: 'secret',
      callback: { ...callback, format: 'query', reports: undefined, secret: { query: 'token', value: KEY } },
    },
  };
  const files = Object.entries(recipes).map(([name, recipe]) => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(recipe));
    return path;
  });
  fake = await createFakeProvider(answers(500, ''));
  app = await createTestApp({
    env: {
      FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '100000',
      TWILIO_ACCOUNT_SID: ACCOUNT,
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      TWILIO_MESSAGING_SERVICE_SID: MESSAGING_SERVICE,
      TELEGRAM_GATEWAY_TOKEN: GATEWAY_TOKEN,
      FIRSTPROOF_SMS_GATEWAY: files.join(','),
    },
    fetch: fake.fetch,
    tenants: { us: { channels: ['sms', 'telegram', 'voice'] } },
  });
});
after(async () => {
  await app.close();
  await fake.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  fake.behave = (request, response) => {
    const json = request.url.hostname.startsWith('gatewayapi')
      ? { ok: true, result: { request_id: nextId } }
      : { sid: nextId, status: 'accepted', id: nextId };
    answers(200, json)(request, response);
  };
});

/** A message that the provider has taken; its id there. */
async function sent(channel: string): Promise<string> {
  const number = String(1000 + counter++);
  nextId = channel === 'sms' ? `SM${number.padStart(32, '0')}` : `request-${number}`;
  const id = nextId;
  const body = { phone: `+1415555${number}`, channel };
  const { status } = await app.post('/api/v1/auth/send-verification', body);
  assert.equal(status, 200);
  await until(async () => (await stateOf(id)) === 'sent');
  return id;
}

async function stateOf(id: string): Promise<string | undefined> {
  const [row] = await app.databases.of('us').sql<{ state: string }[]>`
    select state from message_sends where provider_message_id = ${id}`;
  return row?.state;
}

async function call(path: string, body: string, headers: Record<string, string>): Promise<number> {
  const response = await fetch(app.url + path, { method: 'POST', body, headers });
  await response.arrayBuffer();
  return response.status;
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

function twilioSignature(fields: Record<string, string>, url = PUBLIC + TWILIO, key = AUTH_TOKEN): string {
  const sorted = Object.keys(fields).sort();
  const text = url + sorted.map((name) => name + fields[name]).join('');
  return createHmac('sha1', key).update(text).digest('base64');
}

function twilio(
  fields: Record<string, string>,
  signature = twilioSignature(fields),
  more: Record<string, string> = {},
): Promise<number> {
  const body = new URLSearchParams(fields).toString();
  return call(TWILIO, body, { ...FORM, 'x-twilio-signature': signature, ...more });
}

async function callbacksCounted(provider: string, outcome: string): Promise<number> {
  const { text } = await app.app.metrics.render();
  const line = `firstproof_delivery_callbacks_total{provider="${provider}",outcome="${outcome}"} `;
  return Number(
    text
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.slice(line.length) ?? 0,
  );
}

test('S42 a report that Twilio signed is believed, in a form and in JSON', async () => {
  const first = await sent('sms');
  assert.equal(await twilio({ MessageSid: first, MessageStatus: 'delivered', To: '+1 415', Empty: '' }), 204);
  assert.equal(await stateOf(first), 'delivered');

  const second = await sent('sms');
  const body = JSON.stringify({ MessageSid: second, MessageStatus: 'undelivered', ErrorCode: 30008 });
  const query = `bodySHA256=${createHash('sha256').update(body).digest('hex')}`;
  const signature = twilioSignature({}, `${PUBLIC}${TWILIO}?${query}`);
  const headers = { 'content-type': 'application/json', 'x-twilio-signature': signature };
  assert.equal(await call(`${TWILIO}?${query}`, body.replace('30008', '30007'), headers), 401);
  assert.equal(await stateOf(second), 'sent');
  assert.equal(await call(`${TWILIO}?${query}`, body, headers), 204);
  assert.equal(await stateOf(second), 'failed');
});

test('S42 a report that Twilio did not sign so is refused, counted, and changes nothing', async () => {
  const id = await sent('sms');
  const fields = { MessageSid: id, MessageStatus: 'delivered', Body: ' two  spaces ' };
  const before = await callbacksCounted('twilio-messaging', 'forged');
  const forged: [string, Promise<number>][] = [
    ['none', call(TWILIO, new URLSearchParams(fields).toString(), FORM)],
    ['another key', twilio(fields, twilioSignature(fields, PUBLIC + TWILIO, 'another-token'))],
    ['another scheme', twilio(fields, twilioSignature(fields, `http://auth.test${TWILIO}`))],
    ['another host', twilio(fields, twilioSignature(fields, `https://evil.example${TWILIO}`))],
    [
      'a host that the request names',
      twilio(fields, twilioSignature(fields, `https://evil.example${TWILIO}`), {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        forwarded: 'host=evil.example;proto=https',
      }),
    ],
    ['a field more', twilio({ ...fields, ErrorCode: '30007' }, twilioSignature(fields))],
    ['a field less', twilio({ MessageSid: id, MessageStatus: 'delivered' }, twilioSignature(fields))],
    ['trimmed', twilio({ ...fields, Body: 'two  spaces' }, twilioSignature(fields))],
    ['half of it', twilio(fields, twilioSignature(fields).slice(0, 14))],
    ['empty', twilio(fields, '')],
    ['hexadecimal', twilio(fields, Buffer.from(twilioSignature(fields), 'base64').toString('hex'))],
    [
      'a query that was not signed',
      call(`${TWILIO}?x=1`, new URLSearchParams(fields).toString(), {
        ...FORM,
        'x-twilio-signature': twilioSignature(fields),
      }),
    ],
  ];
  for (const [what, status] of forged) assert.equal(await status, 401, what);
  assert.equal(await stateOf(id), 'sent');
  assert.equal((await callbacksCounted('twilio-messaging', 'forged')) - before, forged.length);
  assert.equal(await twilio(fields), 204);
  assert.equal(await stateOf(id), 'delivered');
});

test('S42 a signed report may come again, too late and in the wrong order', async () => {
  const id = await sent('sms');
  const delivered = { MessageSid: id, MessageStatus: 'delivered' };
  const answers = await Promise.all(Array.from({ length: 5 }, () => twilio(delivered)));
  assert.deepEqual(new Set(answers), new Set([204]));
  for (const status of ['sent', 'failed', 'queued', 'sending', 'a word of tomorrow']) {
    assert.equal(await twilio({ MessageSid: id, MessageStatus: status }), 204);
  }
  assert.equal(await stateOf(id), 'delivered');
  assert.equal(await twilio({ MessageSid: `SM${'f'.repeat(32)}`, MessageStatus: 'delivered' }), 204);
});

async function reportsCounted(provider: string, outcome: string): Promise<number> {
  const { text } = await app.app.metrics.render();
  const line = `firstproof_delivery_reports_total{provider="${provider}",outcome="${outcome}"} `;
  const found = text.split('\n').find((one) => one.startsWith(line));
  return Number(found?.slice(line.length) ?? 0);
}

test('S42 repeated and overtaken reports are counted apart from those that changed something', async () => {
  const id = await sent('sms');
  const before = { applied: await reportsCounted('twilio-messaging', 'applied') };
  const repeated = await reportsCounted('twilio-messaging', 'repeated');
  for (const status of ['delivered', 'delivered', 'sent', 'failed']) {
    assert.equal(await twilio({ MessageSid: id, MessageStatus: status }), 204);
  }
  assert.equal((await reportsCounted('twilio-messaging', 'applied')) - before.applied, 1);
  assert.equal((await reportsCounted('twilio-messaging', 'repeated')) - repeated, 3);
});

test('S42 a forged report stands in the audit trail, once an hour for a network, whatever the flood', async () => {
  const { sql } = app.databases.control;
  const events = (action: string) => sql<{ actor: string; subject: string; ip: string; data: unknown }[]>`
    select actor, subject, ip, data from audit_events
    where action = ${action} and subject = 'provider:telegram-gateway' and ip like '203.0.113.%'`;
  const from = (last: number) => ({ 'x-forwarded-for': `203.0.113.${last}` });
  const now = Math.floor(app.clock.now().getTime() / 1000);
  for (let index = 0; index < 30; index += 1) {
    const headers = { ...telegramHeaders('{}', now, 'not the token'), ...from(7) };
    assert.equal(await call(TELEGRAM, '{"code":"123456"}', headers), 401);
  }
  assert.equal(await call(TELEGRAM, '{}', { ...telegramHeaders('{}', now - 400), ...from(7) }), 403);
  await until(async () => (await events('callback.stale')).length > 0);
  assert.deepEqual(
    [...(await events('callback.forged'))],
    [{ actor: 'anonymous', subject: 'provider:telegram-gateway', ip: '203.0.113.7', data: {} }],
  );
  assert.equal((await events('callback.stale')).length, 1);
  for (let last = 50; last < 90; last += 1) await call(TELEGRAM, 'x', from(last));
  await until(async () => (await events('callback.forged')).length > 5);
  assert.ok((await events('callback.forged')).length <= 20, 'a flood does not fill it');
});

test('S42 what is signed and still no report is refused as unreadable', async () => {
  for (const fields of [{ MessageSid: 'SM1', MessageStatus: 'sent' }, { MessageStatus: 'sent' }, {}]) {
    assert.equal(await twilio(fields as Record<string, string>), 400);
  }
});

function telegramHeaders(body: string, at: number, token = GATEWAY_TOKEN): Record<string, string> {
  const key = createHash('sha256').update(token).digest();
  const signature = createHmac('sha256', key).update(`${at}\n${body}`).digest('hex');
  return {
    'content-type': 'application/json',
    'x-request-timestamp': String(at),
    'x-request-signature': signature,
  };
}

test('S42 the Telegram Gateway: signed over its time, and not older than five minutes', async () => {
  const id = await sent('telegram');
  const now = Math.floor(app.clock.now().getTime() / 1000);
  const body = JSON.stringify({ request_id: id, delivery_status: { status: 'delivered', updated_at: now } });
  const stale = await callbacksCounted('telegram-gateway', 'stale');
  assert.equal(await call(TELEGRAM, body, telegramHeaders(body, now - 301)), 403);
  assert.equal(await call(TELEGRAM, body, telegramHeaders(body, now + 301)), 403);
  assert.equal((await callbacksCounted('telegram-gateway', 'stale')) - stale, 2);
  const forged: [string, string, Record<string, string>][] = [
    ['another token', body, telegramHeaders(body, now, 'another-token-entirely')],
    ['another body', body.replace('delivered', 'expired'), telegramHeaders(body, now)],
    ['another time', body, { ...telegramHeaders(body, now - 400), 'x-request-timestamp': String(now) }],
    ['no time', body, { ...telegramHeaders(body, now), 'x-request-timestamp': '' }],
    [
      'the token as the key',
      body,
      {
        ...telegramHeaders(body, now),
        'x-request-signature': createHmac('sha256', GATEWAY_TOKEN).update(`${now}\n${body}`).digest('hex'),
      },
    ],
  ];
  for (const [what, text, headers] of forged) assert.equal(await call(TELEGRAM, text, headers), 401, what);
  assert.equal(await stateOf(id), 'sent');
  assert.equal(await call(TELEGRAM, body, telegramHeaders(body, now - 299)), 204);
  assert.equal(await stateOf(id), 'delivered');
});

test('S42 a gateway of one’s own: by signature with its time, or by a secret in the address', async () => {
  const id = await sent('voice');
  const now = Math.floor(app.clock.now().getTime() / 1000);
  const body = JSON.stringify({ all: [{ id, s: 'ok' }, { id: 'unknown', s: 'ok' }, { s: 7 }, null] });
  const signed = (at: number, text = body): Record<string, string> => ({
    'x-time': String(at),
    'x-signature': `sha256=${createHmac('sha256', KEY).update(`${at}.${text}`).digest('hex')}`,
  });
  assert.equal(await call(SIGNED, body, signed(now - 301)), 403);
  assert.equal(await call(SIGNED, body, signed(now, `${body} `)), 401);
  assert.equal(await call(SIGNED, body, {}), 401);
  assert.equal(await stateOf(id), 'sent');
  assert.equal(await call(SIGNED, body, signed(now)), 204);
  assert.equal(await stateOf(id), 'delivered');
  for (const query of ['', '?token=', `?token=${KEY}x`, `?token=${KEY}&token=${KEY}`, '?token=wrong']) {
    assert.equal(await call(SECRET + query, '', {}), 401, query);
  }
  assert.equal(await call(`${SECRET}?token=${KEY}&id=x&s=ok`, '', {}), 204);
  // What nobody has configured has no address.
  assert.equal(await call('/callbacks/gateways/other', body, signed(now)), 404);
});
