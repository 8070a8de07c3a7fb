import type { ProviderConfig } from '../../src/config/provider-settings.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  answers,
  createFakeProvider,
  envelopeOf,
  type FakeProvider,
  faults,
  written,
} from './fake-provider.ts';
import {
  AUTH_TOKEN,
  configs,
  gatewayConfig,
  GATEWAY_SECRETS,
  GATEWAY_TOKEN,
  providerOf,
} from './providers.ts';

const all = {
  ...configs,
  ...Object.fromEntries(
    ['vonage', 'infobip', 'eskiz', 'kavenegar', 'kannel', 'smseagle'].map((name) => [
      name,
      gatewayConfig(name),
    ]),
  ),
};

/** What each fault that could go on for ever is ended by. */
const BOUNDS: Record<string, RegExp> = {
  hang: /timeout$/,
  redirect: /redirect$/,
  'huge body': /too long$/,
  'slow drip': /timeout$/,
};

let fake: FakeProvider;
before(async () => {
  fake = await createFakeProvider(faults['hang'] as never);
});
after(() => fake.close());

for (const [name, config] of Object.entries(all)) {
  for (const [fault, behave] of Object.entries(faults)) {
    test(`R03 ${name}: ${fault} is a failure, bounded and without secrets`, async () => {
      fake.behave = behave;
      written.bytes = 0;
      // Only what never ends is cut off early: a busy machine must not look like a fault.
      const endless = fault === 'hang' || fault === 'slow drip';
      const provider = providerOf(config, fake.fetch, endless ? { timeoutMilliseconds: 300 } : {});
      const channel = name === 'telegram-gateway' ? 'telegram' : 'sms';
      const result = await provider.send(envelopeOf({ channel }), new AbortController().signal);
      assert.equal(result.state, 'retry', JSON.stringify(result));
      if (result.state !== 'retry') return;
      // Ended by its own bound, and not by another: a huge answer is not read until time is up. (Eskiz: at its login.)
      assert.ok(written.bytes < 32e6, 'what the buffers between them hold, and no more');
      if (name !== 'eskiz') assert.match(result.error, BOUNDS[fault] ?? /./);
      if (fault === 'too many requests, no word of when') assert.equal(result.retryAfterSeconds, undefined);
      if (fault === 'too many requests' && name !== 'eskiz') assert.equal(result.retryAfterSeconds, 7);
      for (const secret of [
        AUTH_TOKEN,
        GATEWAY_TOKEN,
        '123456',
        'hotel',
        ...Object.values(GATEWAY_SECRETS),
      ]) {
        assert.ok(!result.error.includes(secret), result.error);
      }
    });
  }
}

/** An error in an answer that says 200: each provider has its own way of it. */
const insideOf200: Record<string, unknown[]> = {
  'twilio-messaging': [
    { sid: `SM${'0'.repeat(32)}`, status: 'failed', error_code: 30008 },
    { sid: `SM${'0'.repeat(32)}`, status: 'undelivered', error_code: null },
    { code: 20003, message: 'Authenticate', status: 401 },
    { sid: 'x', status: 'queued' },
  ],
  'twilio-verify': [{ code: 60200, message: 'Invalid parameter' }, { sid: 'VE1', status: 'pending' }, {}],
  'telegram-gateway': [
    { ok: false, error: 'ACCESS_TOKEN_INVALID' },
    { ok: true },
    { ok: true, result: { request_id: 7 } },
  ],
  vonage: [{ messages: [{ status: '4', 'error-text': 'Bad Credentials' }] }, { messages: [] }],
  infobip: [
    {
      messages: [{ messageId: '1', status: { groupName: 'REJECTED', name: 'REJECTED_NOT_ENOUGH_CREDITS' } }],
    },
  ],
  eskiz: [{ status: 'error', message: 'balance' }],
  kavenegar: [{ return: { status: 418, message: 'credit' }, entries: null }],
  kannel: ['Authorization failed for sendsms'],
  smseagle: [{ status: 'error' }, []],
};

for (const [name, answersOf] of Object.entries(insideOf200)) {
  test(`R03 ${name}: an error inside of a 200 is never taken for a sent message`, async () => {
    const config = (all as Record<string, ProviderConfig>)[name];
    assert.ok(config);
    for (const body of answersOf) {
      fake.behave = answers(200, body);
      const provider = providerOf(config, fake.fetch);
      const channel = name === 'telegram-gateway' ? 'telegram' : 'sms';
      const result = await provider.send(envelopeOf({ channel }), new AbortController().signal);
      assert.notEqual(result.state, 'sent', `${JSON.stringify(body)}: ${JSON.stringify(result)}`);
    }
  });
}

test('R03 an answer without end is read to its bound and no further', async () => {
  let written = 0;
  const closed = Promise.withResolvers<void>();
  fake.behave = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.on('close', () => closed.resolve());
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536))) written += 65_536;
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };
  const provider = providerOf(configs['twilio-messaging'], fake.fetch);
  const result = await provider.send(envelopeOf(), new AbortController().signal);
  assert.deepEqual(result, { state: 'retry', error: 'twilio http 200 answer too long' });
  await closed.promise;
  // What the sockets on both sides hold is more than what was read.
  assert.ok(written < 20_000_000, `${written} bytes were taken`);
});

test('R03 a provider is left alone when whoever asked gives up', async () => {
  fake.behave = faults['hang'] as never;
  const patience = new AbortController();
  const provider = providerOf(configs['twilio-messaging'], fake.fetch, { timeoutMilliseconds: 60_000 });
  const sent = provider.send(envelopeOf(), patience.signal);
  patience.abort();
  assert.deepEqual(await sent, { state: 'retry', error: 'twilio timeout' });
});
