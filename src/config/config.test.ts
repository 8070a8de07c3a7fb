import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Config, loadConfig } from './config.ts';
import { settings } from './settings.ts';

const SECRET = 'kX3pQ8vT1zLw7RmN5sJ2hB9cYd4gF6aEuW0oPiVq';
const OTHER = 'Zt4mB7yHqK1wXs9VjR3nL8dPfU2cE6gAoI5TzNwQ';
const production = { FIRSTPROOF_PUBLIC_URL: 'https://auth.school.uz', FIRSTPROOF_SECRET: SECRET };

function load(env: Record<string, string>): Config {
  const result = loadConfig({ env });
  assert.ok(result.ok, result.ok ? '' : result.problems.map((problem) => problem.message).join('\n'));
  return result.config;
}

/** What keeps production from starting with these settings beside good ones: the names of the settings. */
function refused(env: Record<string, string | undefined>): string[] {
  const result = loadConfig({ env: { ...production, ...env } });
  return result.ok ? [] : result.problems.map((problem) => problem.setting);
}

test('production starts with a public URL and a secret, and has these defaults', () => {
  const config = load(production);
  assert.equal(config.mode, 'production');
  assert.equal(config.host, '0.0.0.0');
  assert.equal(config.port, 3000);
  assert.equal(config.managementPort, undefined);
  assert.equal(config.publicUrl, 'https://auth.school.uz');
  assert.equal(config.dataDirectory, './data');
  assert.equal(config.databaseUrl, undefined);
  assert.equal(config.databaseConnections, 12);
  assert.equal(config.databasePrepare, true);
  assert.equal(config.unsafeDurability, false);
  assert.deepEqual(config.secrets, [SECRET]);
  assert.deepEqual(config.trustedProxies, []);
  assert.equal(config.budgets, 'normal');
  assert.equal(config.wrongCodesPerHour, 10);
  assert.equal(config.wrongCodesPerDay, 20);
  assert.equal(config.longestQueueMilliseconds, 500);
  assert.equal(config.logLevel, 'info');
  assert.ok(Object.isFrozen(config));
});

test('production tells everything that is missing at once', () => {
  const result = loadConfig({ env: {} });
  assert.ok(!result.ok);
  assert.deepEqual(
    result.problems.map((problem) => problem.setting),
    ['FIRSTPROOF_PUBLIC_URL', 'FIRSTPROOF_SECRET'],
  );
});

test('an empty value counts as unset', () => {
  assert.deepEqual(refused({ FIRSTPROOF_SECRET: '' }), ['FIRSTPROOF_SECRET']);
  assert.equal(load({ ...production, PORT: '' }).port, 3000);
});

test('work on the databases alone asks for neither URL nor secret, but not for less care with them', () => {
  assert.ok(loadConfig({ env: {}, serving: false }).ok);
  const short = loadConfig({ env: { FIRSTPROOF_SECRET: 'short' }, serving: false });
  assert.equal(short.ok, false);
});

test('development needs nothing, and listens on this machine alone unless told otherwise', () => {
  const config = load({ FIRSTPROOF_MODE: 'development' });
  assert.equal(config.host, '127.0.0.1');
  assert.equal(config.secrets, undefined);
  assert.equal(load({ FIRSTPROOF_MODE: 'development', HOST: '0.0.0.0' }).host, '0.0.0.0');
});

test('the command line wins over the environment', () => {
  const env = { FIRSTPROOF_MODE: 'production', PORT: '4000' };
  const result = loadConfig({ env, overrides: { mode: 'development', port: '5000' } });
  assert.ok(result.ok);
  assert.deepEqual([result.config.mode, result.config.port], ['development', 5000]);
});

test('S50 secrets that are short, repeated or copied from an example are refused; 32 bytes are enough', () => {
  const bad = [
    'short',
    SECRET.slice(0, 31),
    'x'.repeat(64),
    'change-me-change-me-change-me-change-me',
    'this-is-your-secret-please-keep-it-safe-1',
    '0123456789abcdef0123456789abcdef0123456789',
    'example-KX3pQ8vT1zLw7RmN5sJ2hB9cYd4gF6aE',
    `${SECRET},short`,
    ' , ',
  ];
  for (const secret of bad) {
    assert.deepEqual(refused({ FIRSTPROOF_SECRET: secret }), ['FIRSTPROOF_SECRET'], secret);
  }
  assert.deepEqual(load({ ...production, FIRSTPROOF_SECRET: SECRET.slice(0, 32) }).secrets, [
    SECRET.slice(0, 32),
  ]);
  assert.deepEqual(load({ ...production, FIRSTPROOF_SECRET: `${OTHER}, ${SECRET}` }).secrets, [
    OTHER,
    SECRET,
  ]);
});

test('S50 no message ever repeats a secret', () => {
  const result = loadConfig({
    env: {
      FIRSTPROOF_SECRET: 'hunter2hunter2',
      DATABASE_URL: 'mysql://root:hunter2@db',
      FIRSTPROOF_DATABASES: 'us=hunter2',
    },
  });
  assert.ok(!result.ok);
  assert.equal(result.problems.length, 4);
  assert.equal(JSON.stringify(result.problems).includes('hunter2'), false);
});

test('S50 a secret may come from a file, but not from one that everybody may read, an empty or a missing one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'firstproof-config-'));
  const file = join(folder, 'secret');
  writeFileSync(file, `${SECRET}\n`, { mode: 0o600 });
  const env = { FIRSTPROOF_PUBLIC_URL: production.FIRSTPROOF_PUBLIC_URL, FIRSTPROOF_SECRET_FILE: file };
  assert.deepEqual(load(env).secrets, [SECRET]);
  assert.deepEqual(load({ ...env, FIRSTPROOF_SECRET: OTHER }).secrets, [OTHER]);
  const told = (): string => {
    const result = loadConfig({ env });
    return result.ok ? 'accepted' : result.problems.map((problem) => problem.message).join();
  };
  chmodSync(file, 0o640);
  assert.equal(told(), 'accepted');
  for (const mode of [0o604, 0o602, 0o644]) {
    chmodSync(file, mode);
    assert.match(told(), /everybody may read: chmod 600/);
  }
  chmodSync(file, 0o600);
  writeFileSync(file, ' \n');
  assert.match(told(), /which is empty/);
  rmSync(folder, { recursive: true });
  assert.match(told(), /cannot be read/);
});

test('a public URL is https, real, and without anything after its path', () => {
  const bad = [
    'http://auth.school.uz',
    'auth.school.uz',
    'ftp://auth.school.uz',
    'https://user@auth.school.uz',
    'https://auth.school.uz/?a=1',
    'https://auth.school.uz/#a',
    'https://auth.example.com',
    'https://example.org/auth',
  ];
  for (const url of bad) {
    assert.deepEqual(refused({ FIRSTPROOF_PUBLIC_URL: url }), ['FIRSTPROOF_PUBLIC_URL'], url);
  }
  for (const url of ['https://auth.school.uz/', 'http://localhost:3000', 'http://127.0.0.1:3000']) {
    assert.deepEqual(refused({ FIRSTPROOF_PUBLIC_URL: url }), [], url);
  }
  assert.equal(
    load({ ...production, FIRSTPROOF_PUBLIC_URL: 'https://a.uz/auth/' }).publicUrl,
    'https://a.uz/auth',
  );
});

test('a name that only begins like this machine is not this machine', () => {
  for (const url of ['http://localhost.evil.uz', 'http://127.0.0.1.evil.uz']) {
    assert.deepEqual(refused({ FIRSTPROOF_PUBLIC_URL: url }), ['FIRSTPROOF_PUBLIC_URL'], url);
  }
});

test('relaxed budgets are for development; wrong codes can be lowered and never raised', () => {
  assert.deepEqual(refused({ FIRSTPROOF_BUDGETS: 'relaxed' }), ['FIRSTPROOF_BUDGETS']);
  assert.equal(load({ FIRSTPROOF_MODE: 'development', FIRSTPROOF_BUDGETS: 'relaxed' }).budgets, 'relaxed');
  assert.equal(load({ ...production, FIRSTPROOF_WRONG_CODES_PER_HOUR: '3' }).wrongCodesPerHour, 3);
  assert.deepEqual(refused({ FIRSTPROOF_WRONG_CODES_PER_HOUR: '11' }), ['FIRSTPROOF_WRONG_CODES_PER_HOUR']);
  assert.deepEqual(refused({ FIRSTPROOF_WRONG_CODES_PER_DAY: '21' }), ['FIRSTPROOF_WRONG_CODES_PER_DAY']);
});

test('databases: PostgreSQL only, markets by name, and none of them called control', () => {
  const config = load({
    ...production,
    DATABASE_URL: 'postgresql://u:p@db/firstproof',
    FIRSTPROOF_DATABASES: 'us=postgres://u:p@us/a?sslmode=require, uz=postgres://u:p@uz/b',
  });
  assert.equal(config.databaseUrl, 'postgresql://u:p@db/firstproof');
  assert.deepEqual([...(config.databases ?? [])].flat(), [
    'us',
    'postgres://u:p@us/a?sslmode=require',
    'uz',
    'postgres://u:p@uz/b',
  ]);
  assert.deepEqual(refused({ DATABASE_URL: 'db.internal:5432' }), ['DATABASE_URL']);
  for (const list of ['us', 'us=', 'US=postgres://a/b', 'us=mysql://a/b', 'control=postgres://a/b']) {
    assert.deepEqual(refused({ FIRSTPROOF_DATABASES: list }), ['FIRSTPROOF_DATABASES'], list);
  }
});

test('trusted proxies are CIDRs, and never the whole internet', () => {
  const env = { ...production, FIRSTPROOF_TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8' };
  assert.deepEqual(load(env).trustedProxies, ['10.0.0.0/8', 'fd00::/8']);
  for (const list of ['10.0.0.1', '0.0.0.0/0', '::/0', '10.0.0.0/33', '10.0.0.0/8/8', 'true', '*']) {
    assert.deepEqual(refused({ FIRSTPROOF_TRUSTED_PROXIES: list }), ['FIRSTPROOF_TRUSTED_PROXIES'], list);
  }
});

// One value for each setting that it must not take; the settings above have their own tests beside it.
const unfit: Record<string, string> = {
  FIRSTPROOF_MODE: 'Production',
  PORT: '65536',
  FIRSTPROOF_MANAGEMENT_PORT: '-1',
  FIRSTPROOF_PUBLIC_URL: 'x',
  DATABASE_URL: 'x',
  FIRSTPROOF_DATABASES: 'x',
  FIRSTPROOF_DATABASE_CONNECTIONS: '0',
  FIRSTPROOF_DATABASE_PREPARE: 'yes',
  FIRSTPROOF_ALLOW_UNSAFE_DURABILITY: '1',
  FIRSTPROOF_SECRET: 'x',
  FIRSTPROOF_TRUSTED_PROXIES: 'x',
  FIRSTPROOF_BUDGETS: 'none',
  FIRSTPROOF_SENDS_PER_CALLER_PER_HOUR: '0',
  FIRSTPROOF_SEND_COOLDOWN_SECONDS: '1.5',
  FIRSTPROOF_SENDS_PER_ADDRESS_PER_10_MINUTES: 'five',
  FIRSTPROOF_SENDS_PER_ADDRESS_PER_DAY: '1e3',
  FIRSTPROOF_WRONG_CODES_PER_HOUR: '0',
  FIRSTPROOF_WRONG_CODES_PER_DAY: '0x10',
  FIRSTPROOF_LOG_LEVEL: 'trace',
};

for (const [name, value] of Object.entries(unfit)) {
  test(`${name} refuses a value that is none of its own, and is named`, () => {
    assert.deepEqual(refused({ [name]: value }), [name]);
  });
}

test('every default is a value that its own setting takes', () => {
  for (const { name, default: text, parse } of Object.values(settings)) {
    if (text !== undefined) assert.doesNotThrow(() => parse(text), name);
  }
});
