import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfig } from './config.ts';
import type { ProviderConfig } from './provider-settings.ts';

const sid = (prefix: string): string => prefix + '0a'.repeat(16);
const TOKEN = 'twilio-auth-token';
const account = { TWILIO_ACCOUNT_SID: sid('AC'), TWILIO_AUTH_TOKEN: TOKEN };
let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'firstproof-'));
});
after(() => rmSync(folder, { recursive: true }));

function load(env: Record<string, string>): ProviderConfig {
  const result = loadConfig({ env: { FIRSTPROOF_MODE: 'development', ...env } });
  assert.ok(result.ok, result.ok ? '' : result.problems.map(({ message }) => message).join('\n'));
  return result.config.providers;
}

function problems(env: Record<string, string>): string[] {
  const result = loadConfig({ env: { FIRSTPROOF_MODE: 'development', ...env } });
  return result.ok ? [] : result.problems.map(({ message }) => message);
}

function recipe(content: unknown): string {
  const path = join(folder, `${Math.abs(JSON.stringify(content).length)}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const plain = {
  name: 'plain',
  send: { url: 'https://sms.example/send', form: { to: '{{to}}', key: '${env:PLAIN_KEY}' } },
  success: {},
};

test('no provider is configured unless somebody does', () => {
  assert.deepEqual(load({}), { twilio: undefined, telegramGateway: undefined, gateways: [] });
});

test('Twilio by Verify, by a messaging service, by a number; with an API key for the calls', () => {
  const verify = load({ ...account, TWILIO_VERIFY_SERVICE_SID: sid('VA') }).twilio;
  assert.deepEqual(verify?.verify, { service: sid('VA'), codes: 'own' });
  assert.equal(verify?.messaging, undefined);
  const messaging = load({
    ...account,
    TWILIO_MESSAGING_SERVICE_SID: sid('MG'),
    TWILIO_TENANTS: 'us, school',
  });
  assert.deepEqual(messaging.twilio?.messaging, { sender: { service: sid('MG') } });
  assert.deepEqual(messaging.twilio?.tenants, ['us', 'school']);
  const key = { TWILIO_API_KEY_SID: sid('SK'), TWILIO_API_KEY_SECRET: 'key-secret' };
  const { twilio } = load({ ...account, ...key, TWILIO_FROM: '+14155550100' });
  assert.deepEqual(twilio?.messaging, { sender: { from: '+14155550100' } });
  assert.deepEqual(twilio?.account.apiKey, { user: sid('SK'), password: 'key-secret' });
});

test('half of Twilio keeps the server from starting, and says which half', () => {
  for (const [env, missing] of [
    [{ TWILIO_VERIFY_SERVICE_SID: sid('VA') }, ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN']],
    [account, ['TWILIO_VERIFY_SERVICE_SID']],
    [{ ...account, TWILIO_FROM: 'Acme', TWILIO_API_KEY_SID: sid('SK') }, ['TWILIO_API_KEY_SECRET']],
    [{ ...account, TWILIO_FROM: 'Acme', TWILIO_API_KEY_SECRET: 'key-secret' }, ['TWILIO_API_KEY_SID']],
  ] as const) {
    const told = problems(env);
    assert.deepEqual(
      told.map((message) => message.split(' ')[0]),
      missing,
    );
  }
});

test('a value that cannot be one is refused, and no secret is repeated', () => {
  const bad = { TWILIO_ACCOUNT_SID: 'AC12', TWILIO_FROM: 'a name too long', TWILIO_VERIFY_CODES: 'both' };
  const told = problems({ ...bad, TWILIO_AUTH_TOKEN: 'pass word', TELEGRAM_GATEWAY_TOKEN: 'tiny' });
  assert.equal(told.length, 5);
  assert.ok(!/pass word|tiny/.test(told.join('\n')));
});

test('a gateway takes its secrets by reference, also from files', () => {
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'from-a-file\n');
  const path = recipe(plain);
  for (const env of [{ PLAIN_KEY: 'from-a-file' }, { PLAIN_KEY_FILE: secret }]) {
    const [gateway] = load({ FIRSTPROOF_SMS_GATEWAY: path, ...env }).gateways;
    assert.deepEqual(gateway?.send.body, {
      form: [
        ['to', [{ slot: 'to' }]],
        ['key', ['from-a-file']],
      ],
    });
  }
  assert.match(problems({ FIRSTPROOF_SMS_GATEWAY: path })[0] ?? '', /\$\{env:PLAIN_KEY\}, which is not set/);
});

test('a broken description keeps the server from starting, and says where', () => {
  const callback = { format: 'json', message_id: '/id', state: '/s', states: { ok: 'delivered' } };
  for (const [content, said] of [
    ['{', /is not JSON/],
    [{ ...plain, nmae: 'x' }, /nmae|unexpected|additional/i],
    [{ ...plain, send: { url: 'http://sms.example/send' } }, /machines of one's own network/],
    [{ ...plain, send: { url: 'ftp://sms.example/' } }, /https:\/\//],
    [{ ...plain, send: { url: 'https://{{to_digits}}.example/' } }, /may not come from the message/],
    [
      { ...plain, send: { url: 'https://a.example/', form: { to: '{{phone}}' } } },
      /\{\{phone\}\} is unknown/,
    ],
    [
      { ...plain, send: { url: 'https://a.example/', form: { to: '{{encoding}}' } } },
      /\{\{encoding:a\|b\}\} has two words/,
    ],
    [
      { ...plain, send: { url: 'https://a.example/', form: { to: '{{text:a|b}}' } } },
      /no other place has any/,
    ],
    [{ ...plain, send: { url: 'https://a.example/', headers: { a: '{{token}}' } } }, /needs a login/],
    [{ ...plain, success: { when: { matches: '(' } } }, /not a regular expression/],
    [{ ...plain, success: { when: {} } }, /either at or matches/],
    [{ ...plain, message_id: 'ours', callback }, /anybody could report/],
    [{ ...plain, callback: { ...callback, secret: { query: 'token', value: 'short' } } }, /16 characters/],
    [{ ...plain, name: 'twilio-verify' }, /two providers are called/],
  ] as const) {
    const told = problems({ FIRSTPROOF_SMS_GATEWAY: recipe(content), PLAIN_KEY: 'a-key' });
    assert.ok(told.length > 0, JSON.stringify(content));
    assert.match(told.join('\n'), said);
    assert.ok(!told.join('\n').includes('a-key'));
  }
  assert.match(problems({ FIRSTPROOF_SMS_GATEWAY: join(folder, 'none.json') })[0] ?? '', /ENOENT/);
});
