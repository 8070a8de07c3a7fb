import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answers, createFakeProvider, envelopeOf, type FakeProvider } from './fake-provider.ts';
import { configs, GATEWAY_TOKEN, providerOf } from './providers.ts';

const NEVER = new AbortController().signal;
const MESSAGE = envelopeOf({ channel: 'telegram' });

let fake: FakeProvider;
before(async () => {
  fake = await createFakeProvider(answers(500, ''));
});
after(() => fake.close());

test('Telegram Gateway: our own code to a phone, with its life and where reports go', async () => {
  const gateway = providerOf(configs['telegram-gateway'], fake.fetch);
  assert.equal(gateway.reachesByPhone, true);
  fake.behave = answers(200, { ok: true, result: { request_id: 'r1', phone_number: '14155552671' } });
  assert.deepEqual(await gateway.send(MESSAGE, NEVER), { state: 'sent', providerMessageId: 'r1' });
  const [request] = fake.received;
  assert.equal(request?.url.href, 'https://gatewayapi.telegram.org/sendVerificationMessage');
  assert.equal(request?.headers.authorization, `Bearer ${GATEWAY_TOKEN}`);
  assert.deepEqual(JSON.parse(request?.text ?? ''), {
    phone_number: '+14155552671',
    code: '123456',
    ttl: 300,
    payload: MESSAGE.id,
    callback_url: 'https://auth.acme.test/callbacks/telegram-gateway',
  });
  await gateway.revoke?.('r1', NEVER);
  assert.equal(fake.received.at(-1)?.url.pathname, '/revokeVerificationMessage');
  assert.deepEqual(JSON.parse(fake.received.at(-1)?.text ?? ''), { request_id: 'r1' });
});

test('Telegram Gateway: errors inside a 200 are refusals, waits are kept', async () => {
  const gateway = providerOf(configs['telegram-gateway'], fake.fetch);
  for (const [error, result] of [
    [
      'PHONE_NUMBER_NOT_FOUND',
      { state: 'refused', error: 'telegram gateway PHONE_NUMBER_NOT_FOUND', remedy: 'suppress' },
    ],
    [
      'BALANCE_NOT_ENOUGH',
      { state: 'refused', error: 'telegram gateway BALANCE_NOT_ENOUGH', remedy: 'alarm' },
    ],
    ['FLOOD_WAIT_12', { state: 'retry', error: 'telegram gateway FLOOD_WAIT_12', retryAfterSeconds: 12 }],
    ['SOMETHING_NEW', { state: 'refused', error: 'telegram gateway SOMETHING_NEW' }],
  ] as const) {
    fake.behave = answers(200, { ok: false, error });
    assert.deepEqual(await gateway.send(MESSAGE, NEVER), result);
  }
  // What is no word of theirs is not repeated.
  fake.behave = answers(200, { ok: false, error: 'your code is 123456' });
  const odd = await gateway.send(MESSAGE, NEVER);
  assert.deepEqual(odd, { state: 'retry', error: 'telegram gateway answered nothing that can be read' });
});

test('Telegram Gateway: chats, notices and longer codes are for others', async () => {
  const gateway = providerOf(configs['telegram-gateway'], fake.fetch);
  fake.received.length = 0;
  for (const more of [{ to: '700001' }, { code: null }, { code: '1234567890' }]) {
    assert.equal((await gateway.send({ ...MESSAGE, ...more }, NEVER)).state, 'refused');
  }
  assert.equal(fake.received.length, 0);
});
