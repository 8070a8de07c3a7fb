import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { billOf, type LockedPackages } from './bill-of-materials.ts';

const packages: LockedPackages = {
  '': {
    name: 'server',
    version: '1.0.0',
    license: 'Apache-2.0',
    dependencies: { '@a/b': '2.0.0', c: '1.1.0' },
  },
  'node_modules/@a/b': {
    version: '2.0.0',
    integrity: 'sha512-AQI=',
    license: '(MIT OR ISC)',
    dependencies: { c: '^3' },
  },
  'node_modules/@a/b/node_modules/c': { version: '3.0.0', integrity: 'sha512-Aw==', license: 'MIT' },
  'node_modules/c': { version: '1.1.0', integrity: 'sha1-BA==', optional: true },
  'node_modules/tester': { version: '9.0.0', integrity: 'sha512-BQ==', dev: true },
};

test('S51 a bill names what is installed by version, hash and licence, and what needs what; tools are not in it', () => {
  const { components, dependencies, metadata } = billOf(packages);
  const purls = components.map(({ purl }) => purl);
  assert.ok(!purls.includes('pkg:npm/tester@9.0.0'), 'a tool');
  assert.deepEqual(
    components.map(({ purl, scope, hashes, licenses }) => [purl, scope, hashes?.[0], licenses?.[0]]),
    [
      [
        'pkg:npm/%40a/b@2.0.0',
        'required',
        { alg: 'SHA-512', content: '0102' },
        { expression: '(MIT OR ISC)' },
      ],
      ['pkg:npm/c@1.1.0', 'optional', { alg: 'SHA-1', content: '04' }, undefined],
      ['pkg:npm/c@3.0.0', 'required', { alg: 'SHA-512', content: '03' }, { license: { id: 'MIT' } }],
    ],
  );
  assert.deepEqual(dependencies, [
    { ref: '@a/b@2.0.0', dependsOn: ['c@3.0.0'] },
    { ref: 'c@1.1.0', dependsOn: [] },
    { ref: 'c@3.0.0', dependsOn: [] },
    { ref: 'server@1.0.0', dependsOn: ['@a/b@2.0.0', 'c@1.1.0'] },
  ]);
  assert.equal(metadata.component.purl, 'pkg:npm/server@1.0.0');
});

test('S51 every part of the kept bill has a hash and is named once, and whatever is needed is in it', () => {
  const file = join(import.meta.dirname, '../docs/reference/bill-of-materials.cdx.json');
  const bill = JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof billOf>;
  const refs = bill.components.map((component) => component['bom-ref']);
  assert.ok(refs.length > 50, `${refs.length} components`);
  assert.equal(new Set(refs).size, refs.length);
  for (const { hashes, name } of bill.components) {
    assert.ok(name.startsWith('@firstproof/') || /^[0-9a-f]{128}$/.test(hashes?.[0]?.content ?? ''), name);
  }
  for (const { dependsOn } of bill.dependencies) {
    for (const ref of dependsOn) assert.ok(refs.includes(ref), ref);
  }
});
