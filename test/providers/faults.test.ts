import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createFakeProvider, envelopeOf, type FakeProvider, faults } from './fake-provider.ts';
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
      // Only what never ends is cut off early: a busy machine must not look like a fault.
      const endless = fault === 'hang' || fault === 'slow drip';
      const provider = providerOf(config, fake.fetch, endless ? { timeoutMilliseconds: 300 } : {});
      const channel = name === 'telegram-gateway' ? 'telegram' : 'sms';
      const result = await provider.send(envelopeOf({ channel }), new AbortController().signal);
      assert.equal(result.state, 'retry', JSON.stringify(result));
      if (result.state !== 'retry') return;
      // Ended by its own bound, and not by another: a huge answer is not read until time is up. (Eskiz: at its login.)
      if (name !== 'eskiz') assert.match(result.error, BOUNDS[fault] ?? /./);
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

test('R03 a provider is left alone when whoever asked gives up', async () => {
  fake.behave = faults['hang'] as never;
  const patience = new AbortController();
  const provider = providerOf(configs['twilio-messaging'], fake.fetch, { timeoutMilliseconds: 60_000 });
  const sent = provider.send(envelopeOf(), patience.signal);
  patience.abort();
  assert.deepEqual(await sent, { state: 'retry', error: 'twilio timeout' });
});
