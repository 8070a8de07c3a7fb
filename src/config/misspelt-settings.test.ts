import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMisspeltSettings } from './misspelt-settings.ts';
import { settings } from './settings.ts';

const meantBy = (...names: string[]): Record<string, string> =>
  Object.fromEntries(
    findMisspeltSettings(Object.fromEntries(names.map((name) => [name, 'x'])), Object.values(settings)).map(
      ({ name, meant }) => [name, meant],
    ),
  );

test('a variable that is spelt almost like a setting is told, with the setting that was meant', () => {
  assert.deepEqual(
    meantBy(
      'FIRSTPROOF_TRUSTED_PROXY',
      'FIRSTPROOF_PORT',
      'FIRSTPROOF_DATABASE_URL',
      'FIRSTPROOF_SECRETS',
      'FIRSTPROOF_SECRET_FILES',
      'FIRSTPROOF_TELEGRAM_BOT_TOKEN',
      'FIRSTPROOF_WRONG_CODE_PER_HOUR',
    ),
    {
      FIRSTPROOF_TRUSTED_PROXY: 'FIRSTPROOF_TRUSTED_PROXIES',
      FIRSTPROOF_PORT: 'PORT',
      FIRSTPROOF_DATABASE_URL: 'DATABASE_URL',
      FIRSTPROOF_SECRETS: 'FIRSTPROOF_SECRET',
      FIRSTPROOF_SECRET_FILES: 'FIRSTPROOF_SECRET_FILE',
      FIRSTPROOF_TELEGRAM_BOT_TOKEN: 'TELEGRAM_BOT_TOKEN',
      FIRSTPROOF_WRONG_CODE_PER_HOUR: 'FIRSTPROOF_WRONG_CODES_PER_HOUR',
    },
  );
});

test('settings, variables of clients and what a gateway reads for itself are no misspelling', () => {
  const known = Object.values(settings).map(({ name }) => name);
  assert.deepEqual(meantBy(...known, 'FIRSTPROOF_SECRET_FILE', 'FIRSTPROOF_URL', 'FIRSTPROOF_API_KEY'), {});
  assert.deepEqual(meantBy('FIRSTPROOF_ESKIZ_PASSWORD', 'TELEGRAM_BOT', 'PORTS', 'PATH'), {});
});
