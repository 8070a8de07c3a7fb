import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../config/config.ts';
import { checkProviders } from './doctor-providers.ts';

const production = {
  FIRSTPROOF_PUBLIC_URL: 'https://auth.school.uz',
  FIRSTPROOF_SECRET: 'kX3pQ8vT1zLw7RmN5sJ2hB9cYd4gF6aEuW0oPiVq',
};
const account = { TWILIO_ACCOUNT_SID: `AC${'0a'.repeat(16)}`, TWILIO_AUTH_TOKEN: 'twilio-auth-token' };

function fileOf(gateway: object): string {
  const file = join(mkdtempSync(join(tmpdir(), 'gateway-')), 'acme.json');
  writeFileSync(file, JSON.stringify(gateway));
  return file;
}

function lines(env: Record<string, string>): string[] {
  const result = loadConfig({ env: { ...production, ...env } });
  assert.ok(result.ok);
  return checkProviders(result.config).map(
    ({ level, subject, message }) => `${level} ${subject}: ${message}`,
  );
}

test('the doctor names every provider and what it carries', () => {
  assert.deepEqual(
    lines({
      ...account,
      TWILIO_FROM: 'Acme',
      TELEGRAM_GATEWAY_TOKEN: 'gateway-token',
      TELEGRAM_GATEWAY_TENANTS: 'uz',
    }),
    [
      'ok provider twilio-messaging: carries sms from Acme',
      'ok provider telegram-gateway: carries telegram to phones, for uz only',
    ],
  );
});

test('the doctor warns of what is missing: any provider, one for notices, a way for reports', () => {
  assert.deepEqual(lines({}), ['warn providers: none is configured: no code can leave']);
  const verify = { ...account, TWILIO_VERIFY_SERVICE_SID: `VA${'0a'.repeat(16)}` };
  assert.deepEqual(lines(verify), [
    'ok provider twilio-verify: carries sms, voice with our codes',
    'warn provider twilio-verify: carries codes only: notices by SMS have no provider',
  ]);
  const gateway = (codesOnly: boolean) => ({
    name: 'acme',
    ...(codesOnly ? { codes_only: true } : {}),
    send: { method: 'POST', url: 'https://sms.acme.example/', json: { to: '{{to}}', text: '{{text}}' } },
    success: { status: [200] },
  });
  const beside = { FIRSTPROOF_SMS_GATEWAY: fileOf(gateway(false)) };
  assert.ok(
    !lines({ ...verify, ...beside })
      .join()
      .includes('notices'),
    'the gateway carries them',
  );
  const codesAlone = lines({ FIRSTPROOF_SMS_GATEWAY: fileOf(gateway(true)) });
  assert.ok(codesAlone.includes('warn provider acme: carries codes only: notices by SMS have no provider'));
  const near = { FIRSTPROOF_PUBLIC_URL: 'http://localhost:3000', TELEGRAM_GATEWAY_TOKEN: 'gateway-token' };
  assert.ok(lines(near).includes('warn delivery reports: none will come: providers cannot call this server'));
});
