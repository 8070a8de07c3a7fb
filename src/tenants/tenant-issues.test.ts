import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tenantIssues } from './tenant-issues.ts';

type Described = Parameters<typeof tenantIssues>[0];

const good: Described = {
  slug: 'kz',
  name: 'Market KZ',
  kind: 'market',
  phonePrefixes: ['+77'],
  hosts: ['kz.school.test'],
  locale: 'ru',
  settings: { default_country: 'KZ' },
};
const uz: Described = { ...good, slug: 'uz', phonePrefixes: ['+998'], hosts: ['uz.school.test'] };

test('a good tenant has no issues, and is not compared with itself', () => {
  assert.deepEqual(tenantIssues(good, [uz, good]), []);
  assert.deepEqual(tenantIssues({ ...good, kind: 'application', phonePrefixes: [], settings: {} }, []), []);
});

test('prefixes and hosts belong to one tenant', () => {
  const paths = tenantIssues({ ...good, phonePrefixes: ['+998'], hosts: ['uz.school.test'] }, [uz]);
  assert.deepEqual(
    paths.map((issue) => issue.path),
    ['/phone_prefixes', '/hosts'],
  );
  assert.deepEqual(tenantIssues({ ...good, phonePrefixes: ['+99'] }, [uz]), []);
});

const wrong: [Partial<Described>, string][] = [
  [{ slug: 'KZ' }, '/slug'],
  [{ slug: '-kz' }, '/slug'],
  [{ slug: 'a'.repeat(64) }, '/slug'],
  [{ name: ' ' }, '/name'],
  [{ name: 'n'.repeat(101) }, '/name'],
  [{ name: 'X\r\nBcc: evil@evil.example' }, '/name'],
  [{ locale: 'xx' }, '/locale'],
  [{ phonePrefixes: [] }, '/phone_prefixes'],
  [{ phonePrefixes: ['77'] }, '/phone_prefixes'],
  [{ phonePrefixes: ['+'] }, '/phone_prefixes'],
  [{ hosts: ['kz.school.test:443'] }, '/hosts'],
  [{ hosts: ['KZ.school.test'] }, '/hosts'],
  [{ hosts: ['https://kz.school.test'] }, '/hosts'],
  [{ settings: { default_country: 'XX' } }, '/settings/default_country'],
  [{ settings: { code: { lifetime_seconds: 601 } } }, '/settings/code/lifetime_seconds'],
];

for (const [change, path] of wrong) {
  test(`${JSON.stringify(change).slice(0, 60)} is refused at ${path}`, () => {
    assert.deepEqual(
      tenantIssues({ ...good, ...change }, []).map((issue) => issue.path),
      [path],
    );
  });
}
