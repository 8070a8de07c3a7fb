import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainResult } from './provider-words.ts';

test('a message that was taken is told with its id', () => {
  assert.deepEqual(explainResult({ state: 'sent', providerMessageId: 'SM1' }), {
    happened: 'took it; its id there: SM1',
  });
});

test('what went wrong is told with what to do, for each way in which providers fail', () => {
  for (const [error, remedy] of [
    ['twilio 20003', /TWILIO_AUTH_TOKEN/],
    ['twilio 21408', /Geo permissions/],
    ['twilio 21612', /errors\/21612/],
    ['eskiz login failed', /user name and password/],
    ['vonage http 401', /credentials/],
    ['vonage http 503', /out of order/],
    ['vonage http 302 redirect', /never followed/],
    ['vonage timeout', /firewall/],
    ['TimeoutError', /firewall/],
    ['vonage network ENOTFOUND', /DNS/],
    ['vonage network ECONNREFUSED', /Nothing listens/],
    ['vonage http 200 without success', /"success"/],
    ['smtp EAUTH 535 5.7.8', /SMTP_URL/],
    ['smtp EDNS', /DNS/],
    ['smtp ESOCKET', /host, port/],
    ['telegram 403', /pressed Start/],
  ] as const) {
    assert.match(explainResult({ state: 'refused', error }).remedy ?? '', remedy, error);
  }
  const unknown = explainResult({ state: 'refused', error: 'acme 7', remedy: 'suppress' });
  assert.match(unknown.happened, /refused it for good \(acme 7\)/);
  assert.match(unknown.remedy ?? '', /cannot be reached this way/);
  const quiet = explainResult({ state: 'retry', error: 'acme http 429', retryAfterSeconds: 30 });
  assert.match(quiet.happened, /wants quiet for 30 seconds/);
});
