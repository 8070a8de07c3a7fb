import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../config/config.ts';
import type { DatabaseFacts } from './database-facts.ts';
import {
  checkClock,
  checkConfiguration,
  checkConnections,
  checkDurability,
  checkNamedProviders,
  checkTenant,
  checkVersion,
} from './doctor-checks.ts';

const healthy: DatabaseFacts = {
  name: 'control',
  version: '15.0',
  versionNumber: 150_000,
  durability: { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'local' },
  maxConnections: 100,
  server: 'a',
  clockAheadSeconds: 0.4,
};

test('PostgreSQL 15 is enough, 14 is not', () => {
  assert.equal(checkVersion(healthy).level, 'ok');
  const old = checkVersion({ ...healthy, version: '14.11', versionNumber: 140_011 });
  assert.equal(old.level, 'fail');
  assert.match(old.message, /14\.11; 15 or newer/);
});

test('S18 each setting that forgets is named, and only off forgets', () => {
  assert.equal(checkDurability(healthy, false).level, 'ok');
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit'] as const) {
    const facts = { ...healthy, durability: { ...healthy.durability, [setting]: 'off' } };
    assert.equal(checkDurability(facts, false).level, 'fail');
    assert.match(checkDurability(facts, true).message, new RegExp(`has ${setting}=off:`));
    assert.equal(checkDurability(facts, true).level, 'warn');
  }
});

test('a clock more than two seconds off is told with its direction', () => {
  assert.equal(checkClock({ ...healthy, clockAheadSeconds: -2 }).level, 'ok');
  assert.match(checkClock({ ...healthy, clockAheadSeconds: 2.1 }).message, /2\.1 s ahead of/);
  assert.match(checkClock({ ...healthy, clockAheadSeconds: -90 }).message, /90\.0 s behind/);
});

test('databases of one server share its connections', () => {
  const us = { ...healthy, name: 'us' };
  const [together] = checkConnections([healthy, us], 47);
  assert.equal(together?.level, 'warn');
  assert.match(together?.message ?? '', /may open 96, PostgreSQL allows 100/);
  const apart = checkConnections([healthy, { ...us, server: 'b' }], 47);
  assert.deepEqual(
    apart.map((finding) => finding.level),
    ['ok', 'ok'],
  );
});

function tenant(channels: string[], database: string | null = null): Parameters<typeof checkTenant>[0] {
  return { slug: 't', database, policy: { channels } };
}

test('S47 a tenant that can only be entered by telephone is warned of, one with another way is not', () => {
  const known = new Set(['control']);
  const levels = (channels: string[]): string[] =>
    checkTenant(tenant(channels), known, () => true).map((finding) => finding.level);
  assert.deepEqual(levels(['sms']), ['warn']);
  assert.deepEqual(levels(['sms', 'voice']), ['warn']);
  assert.deepEqual(levels(['sms', 'telegram']), ['ok']);
});

test('a tenant without its database fails; a channel without a provider warns with what to type', () => {
  const [lost] = checkTenant(tenant(['email'], 'kz'), new Set(['control']), () => true);
  assert.equal(lost?.level, 'fail');
  assert.match(lost?.remedy ?? '', /kz=postgres/);
  const [silent] = checkTenant(tenant(['sms', 'email']), new Set(), (channel) => channel === 'email');
  assert.match(silent?.remedy ?? '', /tenant set t channels=email$/);
  const [mute] = checkTenant(tenant(['email']), new Set(), () => false);
  assert.match(mute?.message ?? '', /nobody can sign in/);
});

test('a provider that a tenant names, and that is not configured, is told with those that are', () => {
  const named = {
    providers: { sms: ['eskiz', 'twilo'] },
    prices: { eskiz: { UZ: 0.01 }, vonage: { default: 1 } },
  };
  const told = checkNamedProviders({ slug: 't', settings: { delivery: named } }, ['eskiz', 'smtp']);
  assert.deepEqual(
    told.map(({ level, message }) => `${level} ${message}`),
    [
      'warn delivery.providers names "twilo", which is not configured here',
      'warn delivery.prices names "vonage", which is not configured here',
    ],
  );
  assert.match(told[0]?.remedy ?? '', /eskiz, smtp/);
  assert.deepEqual(checkNamedProviders({ slug: 't', settings: {} }, []), []);
});

test('production behind TLS without a trusted proxy, or on this machine alone, is warned of', () => {
  const levels = (env: Record<string, string>): string[] => {
    const secret = { FIRSTPROOF_SECRET: 'kX3pQ8vT1zLw7RmN5sJ2hB9cYd4gF6aEuW0oPiVq' };
    const result = loadConfig({ env: { ...secret, ...env } });
    assert.ok(result.ok);
    return checkConfiguration(result.config).map((finding) => `${finding.level} ${finding.subject}`);
  };
  const url = { FIRSTPROOF_PUBLIC_URL: 'https://auth.school.uz' };
  assert.ok(levels(url).includes('warn proxies'));
  assert.equal(
    levels({ ...url, FIRSTPROOF_TRUSTED_PROXIES: '127.0.0.1/32' })
      .join()
      .includes('warn'),
    false,
  );
  assert.ok(levels({ FIRSTPROOF_PUBLIC_URL: 'http://localhost:3000' }).includes('warn public URL'));
});
