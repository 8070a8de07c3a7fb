import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { answers, createFakeProvider, envelopeOf, type FakeProvider } from './fake-provider.ts';
import { ACCOUNT, AUTH_TOKEN, configs, MESSAGING_SERVICE, providerOf, SERVICE } from './providers.ts';

const NEVER = new AbortController().signal;
const MESSAGE_SID = `SM${'1'.repeat(32)}`;
const VERIFICATION_SID = `VE${'2'.repeat(32)}`;

let fake: FakeProvider;
before(async () => {
  fake = await createFakeProvider(answers(500, ''));
});
after(() => fake.close());
beforeEach(() => {
  fake.received.length = 0;
});

const last = () => fake.received.at(-1) ?? assert.fail('nothing was asked for');

test('Programmable Messaging: text, sender, callback and life of a message', async () => {
  const twilio = providerOf(configs['twilio-messaging'], fake.fetch);
  fake.behave = answers(201, { sid: MESSAGE_SID, status: 'accepted', error_code: null });
  assert.deepEqual(await twilio.send(envelopeOf(), NEVER), { state: 'sent', providerMessageId: MESSAGE_SID });
  assert.equal(last().url.href, `https://api.twilio.com/2010-04-01/Accounts/${ACCOUNT}/Messages.json`);
  assert.deepEqual(last().form, {
    To: '+14155552671',
    Body: '123456 is your Acme code. Never share it.',
    MessagingServiceSid: MESSAGING_SERVICE,
    StatusCallback: 'https://auth.acme.test/callbacks/twilio/messaging',
    ValidityPeriod: '300',
    RiskCheck: 'enable',
  });
  const basic = Buffer.from(`${ACCOUNT}:${AUTH_TOKEN}`).toString('base64');
  assert.equal(last().headers.authorization, `Basic ${basic}`);
});

test('Programmable Messaging: nobody is told to call a machine that cannot be reached', async () => {
  for (const publicUrl of ['http://localhost:3000', 'https://10.0.0.5', 'http://auth.acme.test']) {
    const twilio = providerOf(configs['twilio-messaging'], fake.fetch, { publicUrl });
    fake.behave = answers(201, { sid: MESSAGE_SID, status: 'accepted' });
    await twilio.send(envelopeOf(), NEVER);
    assert.equal(last().form['StatusCallback'], undefined, publicUrl);
  }
});

test('Twilio errors: retry, another channel, suppress or alarm, as the table says', async () => {
  const twilio = providerOf(configs['twilio-messaging'], fake.fetch);
  for (const [status, code, result] of [
    [400, 21211, { state: 'refused', error: 'twilio 21211' }],
    [400, 21408, { state: 'refused', error: 'twilio 21408' }],
    [400, 21610, { state: 'refused', error: 'twilio 21610', remedy: 'suppress' }],
    [400, 21614, { state: 'refused', error: 'twilio 21614', remedy: 'suppress' }],
    [401, 20003, { state: 'refused', error: 'twilio 20003', remedy: 'alarm' }],
    [429, 20429, { state: 'retry', error: 'twilio 20429', retryAfterSeconds: 3 }],
    [403, 60410, { state: 'refused', error: 'twilio 60410', remedy: 'alarm' }],
    [429, 60203, { state: 'refused', error: 'twilio 60203' }],
    [403, 60205, { state: 'refused', error: 'twilio 60205', remedy: 'suppress' }],
    // A code of tomorrow goes by its status.
    [400, 99999, { state: 'refused', error: 'twilio 99999 http 400' }],
    [503, 99999, { state: 'retry', error: 'twilio 99999 http 503', retryAfterSeconds: 3 }],
  ] as const) {
    fake.behave = answers(status, { code, message: 'to +14155552671', status }, { 'retry-after': '3' });
    assert.deepEqual(await twilio.send(envelopeOf(), NEVER), result);
  }
});

test('Programmable Messaging: an error inside a success is a failure', async () => {
  const twilio = providerOf(configs['twilio-messaging'], fake.fetch);
  fake.behave = answers(201, { sid: MESSAGE_SID, status: 'failed', error_code: 30007 });
  assert.deepEqual(await twilio.send(envelopeOf(), NEVER), {
    state: 'refused',
    error: 'twilio 30007',
    remedy: 'alarm',
  });
  fake.behave = answers(201, { sid: '../../etc/passwd', status: 'accepted' });
  assert.equal((await twilio.send(envelopeOf(), NEVER)).state, 'retry');
});

test('Verify carries our code by SMS and by a call, and hears how it ended', async () => {
  const twilio = providerOf(configs['twilio-verify'], fake.fetch);
  fake.behave = answers(201, { sid: VERIFICATION_SID, status: 'pending' });
  const sent = await twilio.send(envelopeOf({ locale: 'ru' }), NEVER);
  assert.deepEqual(sent, { state: 'sent', providerMessageId: VERIFICATION_SID });
  assert.equal(last().url.href, `https://verify.twilio.com/v2/Services/${SERVICE}/Verifications`);
  assert.deepEqual(last().form, {
    To: '+14155552671',
    Channel: 'sms',
    CustomCode: '123456',
    Locale: 'ru',
    CustomFriendlyName: 'Acme',
    RiskCheck: 'enable',
  });
  await twilio.send(envelopeOf({ channel: 'voice', locale: 'uz' }), NEVER);
  assert.deepEqual([last().form['Channel'], last().form['Locale']], ['call', undefined]);
  fake.behave = answers(200, { sid: VERIFICATION_SID, status: 'approved' });
  await twilio.approve?.(VERIFICATION_SID, NEVER);
  assert.equal(last().url.pathname, `/v2/Services/${SERVICE}/Verifications/${VERIFICATION_SID}`);
  assert.deepEqual(last().form, { Status: 'approved' });
  await twilio.revoke?.(VERIFICATION_SID, NEVER);
  assert.deepEqual(last().form, { Status: 'canceled' });
  // Ended at their side already: nothing to mend.
  fake.behave = answers(404, { code: 20404 });
  await twilio.revoke?.(VERIFICATION_SID, NEVER);
});

test('Verify takes no notice, and asks nobody about it', async () => {
  const twilio = providerOf(configs['twilio-verify'], fake.fetch);
  const result = await twilio.send(envelopeOf({ code: null }), NEVER);
  assert.deepEqual(result, { state: 'refused', error: 'twilio verify carries codes only' });
  assert.equal(fake.received.length, 0);
});
