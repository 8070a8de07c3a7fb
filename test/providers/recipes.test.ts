import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { answers, createFakeProvider, envelopeOf, type FakeProvider } from './fake-provider.ts';
import { gatewayConfig, providerOf } from './providers.ts';

const MESSAGE = envelopeOf({ to: '+998901234567' });
const NEVER = new AbortController().signal;

let fake: FakeProvider;
before(async () => {
  fake = await createFakeProvider(answers(500, ''));
});
after(() => fake.close());
beforeEach(() => {
  fake.received.length = 0;
});

const last = () => fake.received.at(-1) ?? assert.fail('nothing was asked for');

test('Vonage: the SMS API is asked as it describes itself, and its codes are understood', async () => {
  const vonage = providerOf(gatewayConfig('vonage'), fake.fetch);
  const ok = { 'message-count': '1', messages: [{ to: '998901234567', 'message-id': '0C00', status: '0' }] };
  fake.behave = answers(200, ok);
  assert.deepEqual(await vonage.send(MESSAGE, NEVER), { state: 'sent', providerMessageId: '0C00' });
  assert.equal(last().url.href, 'https://rest.nexmo.com/sms/json');
  const { callback, ...form } = last().form;
  assert.deepEqual(form, {
    api_key: 'vonage-key',
    api_secret: 'vonage-secret-"quoted"',
    from: 'Firstproof',
    to: '998901234567',
    text: MESSAGE.text,
    type: 'text',
    'client-ref': MESSAGE.id,
  });
  assert.equal(callback, 'https://auth.acme.test/callbacks/gateways/vonage?token=callback-secret-0123456789');
  for (const [status, result] of [
    ['1', { state: 'retry', error: 'vonage 1' }],
    ['4', { state: 'refused', error: 'vonage 4', remedy: 'alarm' }],
    ['7', { state: 'refused', error: 'vonage 7', remedy: 'suppress' }],
    ['6', { state: 'refused', error: 'vonage 6' }],
  ] as const) {
    fake.behave = answers(200, { messages: [{ status, 'error-text': 'no' }] });
    assert.deepEqual(await vonage.send(MESSAGE, NEVER), result);
  }
});

test('Infobip: a message is accepted while pending, and refused by name', async () => {
  const infobip = providerOf(gatewayConfig('infobip'), fake.fetch);
  fake.behave = answers(200, { messages: [{ messageId: 'm-1', status: { groupName: 'PENDING' } }] });
  assert.deepEqual(await infobip.send(MESSAGE, NEVER), { state: 'sent', providerMessageId: 'm-1' });
  assert.equal(last().url.href, 'https://xyz123.api.infobip.com/sms/3/messages');
  assert.equal(last().headers.authorization, 'App infobip-key');
  const [message] = JSON.parse(last().text).messages;
  assert.deepEqual(message.destinations, [{ to: '998901234567' }]);
  assert.deepEqual(message.content, { text: MESSAGE.text });
  assert.match(message.webhooks.delivery.url, /\/callbacks\/gateways\/infobip\?token=/);
  assert.equal(message.webhooks.callbackData, MESSAGE.id);
  const refused = { groupName: 'REJECTED', name: 'REJECTED_NOT_ENOUGH_CREDITS' };
  fake.behave = answers(200, { messages: [{ messageId: 'm-2', status: refused }] });
  assert.deepEqual(await infobip.send(MESSAGE, NEVER), {
    state: 'refused',
    error: 'infobip REJECTED_NOT_ENOUGH_CREDITS',
    remedy: 'alarm',
  });
});

test('Eskiz: one login serves many sends at once, and an ended token is renewed once', async () => {
  let logins = 0;
  let valid = '';
  fake.behave = (request, response) => {
    if (request.url.pathname === '/api/auth/login') {
      assert.deepEqual(request.form, { email: 'sms@example.uz', password: 'eskiz-password' });
      valid = `token-${++logins}`;
      return answers(200, { message: 'token_generated', data: { token: valid } })(request, response);
    }
    if (request.headers.authorization !== `Bearer ${valid}`) {
      return answers(401, { message: 'Expired', status: 'token-invalid' })(request, response);
    }
    answers(200, { id: 'uuid-1', message: 'Waiting for SMS provider', status: 'waiting' })(request, response);
  };
  const eskiz = providerOf(gatewayConfig('eskiz'), fake.fetch);
  const sent = await Promise.all(Array.from({ length: 5 }, () => eskiz.send(MESSAGE, NEVER)));
  for (const result of sent) assert.deepEqual(result, { state: 'sent', providerMessageId: 'uuid-1' });
  assert.equal(logins, 1);
  assert.equal(last().form['mobile_phone'], '998901234567');
  valid = 'ended at their side';
  assert.equal((await eskiz.send(MESSAGE, NEVER)).state, 'sent');
  assert.equal(logins, 2);
});

test('Eskiz: a token that never works ends the try, and asks for a person', async () => {
  let logins = 0;
  fake.behave = (request, response) => {
    if (request.url.pathname !== '/api/auth/login') {
      return answers(401, { status: 'token-invalid' })(request, response);
    }
    answers(200, { data: { token: `t${++logins}` } })(request, response);
  };
  const eskiz = providerOf(gatewayConfig('eskiz'), fake.fetch);
  assert.deepEqual(await eskiz.send(MESSAGE, NEVER), {
    state: 'refused',
    error: 'eskiz token-invalid',
    remedy: 'alarm',
  });
  assert.equal(logins, 2);
});

test('Kavenegar: the lookup call carries the code; notices are left to others', async () => {
  const kavenegar = providerOf(gatewayConfig('kavenegar'), fake.fetch);
  fake.behave = answers(200, { return: { status: 200 }, entries: [{ messageid: 8792343, status: 5 }] });
  assert.deepEqual(await kavenegar.send(MESSAGE, NEVER), { state: 'sent', providerMessageId: '8792343' });
  assert.equal(last().url.pathname, '/v1/kavenegar-key/verify/lookup.json');
  assert.equal(last().form['token'], '123456');
  fake.behave = answers(418, { return: { status: 418, message: 'credit' }, entries: null });
  assert.deepEqual(await kavenegar.send(MESSAGE, NEVER), {
    state: 'refused',
    error: 'kavenegar 418',
    remedy: 'alarm',
  });
  fake.received.length = 0;
  const notice = await kavenegar.send(envelopeOf({ code: null }), NEVER);
  assert.equal(notice.state, 'refused');
  assert.equal(fake.received.length, 0);
});

test('Kannel: plain text answers are read, and reports name our own id', async () => {
  const kannel = providerOf(gatewayConfig('kannel'), fake.fetch);
  fake.behave = answers(202, '0: Accepted for delivery');
  assert.deepEqual(await kannel.send(MESSAGE, NEVER), { state: 'sent', providerMessageId: MESSAGE.id });
  const { searchParams } = last().url;
  assert.equal(searchParams.get('to'), '+998901234567');
  assert.equal(searchParams.get('text'), MESSAGE.text);
  assert.equal(
    searchParams.get('dlr-url'),
    `http://firstproof:3000/callbacks/gateways/kannel?token=callback-secret-0123456789&id=${MESSAGE.id}&state=%d`,
  );
  fake.behave = answers(200, '2: Authorization failed');
  const refused = await kannel.send(MESSAGE, NEVER);
  assert.deepEqual(refused, { state: 'refused', error: 'kannel 2', remedy: 'alarm' });
});

test('SMSEagle: a modem box in the rack', async () => {
  const eagle = providerOf(gatewayConfig('smseagle'), fake.fetch);
  fake.behave = answers(200, 'OK; ID=297');
  assert.deepEqual(await eagle.send(MESSAGE, NEVER), { state: 'sent', providerMessageId: '297' });
  fake.behave = answers(200, 'Invalid login or password');
  assert.equal((await eagle.send(MESSAGE, NEVER)).state, 'refused');
});

test('a text of GSM-7 is never sent as the dearer UCS-2, and another never as GSM-7', async () => {
  for (const [name, place, plain, wide] of [
    ['vonage', 'type', 'text', 'unicode'],
    ['kannel', 'coding', '0', '2'],
    ['smseagle', 'unicode', '0', '1'],
  ] as const) {
    const provider = providerOf(gatewayConfig(name), fake.fetch);
    for (const [text, word] of [
      ['123456 is your code {€}', plain],
      ['123456 — код Acme', wide],
    ] as const) {
      await provider.send(envelopeOf({ text }), NEVER);
      const { form, url } = last();
      assert.equal(form[place] ?? url.searchParams.get(place), word, `${name}: ${text}`);
    }
  }
});

test('a name with quotes, line breaks and separators stays a name, wherever it stands', async () => {
  const hostile = '", "to": "+1900"}\r\nX-Injected: yes&to=1900#?%0d%0a{{code}}${env:INFOBIP_API_KEY}';
  const message = envelopeOf({ to: '+998901234567', text: hostile, senderName: hostile });
  fake.behave = answers(200, { messages: [{ messageId: 'm', status: { groupName: 'PENDING' } }] });
  await providerOf(gatewayConfig('infobip'), fake.fetch).send(message, NEVER);
  assert.deepEqual(JSON.parse(last().text).messages[0].destinations, [{ to: '998901234567' }]);
  assert.equal(JSON.parse(last().text).messages[0].content.text, hostile);
  assert.equal(last().headers['x-injected'], undefined);
  await providerOf(gatewayConfig('vonage'), fake.fetch).send(message, NEVER);
  assert.equal(last().form['to'], '998901234567');
  assert.equal(last().form['text'], hostile);
  await providerOf(gatewayConfig('kannel'), fake.fetch).send(message, NEVER);
  assert.deepEqual(last().url.searchParams.getAll('to'), ['+998901234567']);
  assert.equal(last().url.searchParams.get('text'), hostile);
});
