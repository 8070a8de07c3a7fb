import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkSizes, findViolations, readMap } from './check-layers.ts';

const map = readMap(`
| row | folder | from outside | state | what it knows |
|---|---|---|---|---|
| 0 | \`kernel/\` | open | here | words |
| 4 | \`users/\` | one door | here | users |
| 4 | \`delivery/\` | one door | later | messages |
| 8 | \`app.ts\` | open | here | the root |
`);
const lawful = {
  'src/kernel/clock.ts': 'export const a = 1;',
  'src/users/users.ts': "import { a } from '../kernel/clock.ts';\nimport './store.ts';\nimport 'postgres';",
  'src/users/store.ts': "import type { B } from './policy.ts';",
  'src/users/users.test.ts': "import '../app.ts'; import '../../test/create-test-app.ts';",
  'src/app.ts': "import { createUsers } from './users/users.ts';",
};

function violations(changes: Record<string, string>): string[] {
  return findViolations({ map, files: new Map(Object.entries({ ...lawful, ...changes })) });
}

function assertOne(changes: Record<string, string>, expected: RegExp): void {
  const found = violations(changes);
  assert.equal(found.length, 1, found.join('\n'));
  assert.match(found[0] as string, expected);
}

test('imports that point down, by the door, are lawful', () => {
  assert.deepEqual(violations({}), []);
});

test('an import up is refused, with file and line', () => {
  assertOne(
    { 'src/kernel/clock.ts': "\nexport * from '../users/users.ts';" },
    /^src\/kernel\/clock\.ts:2 up: kernel/,
  );
});

test('an import of another folder of the same row is refused, also as a type', () => {
  const delivery = "import type { User } from '../users/users.ts';";
  assertOne({ 'src/delivery/delivery.ts': delivery }, /^src\/delivery\/delivery\.ts:1 sideways: /);
});

test('the private files of a folder are refused from outside, also when imported at run time', () => {
  assertOne(
    { 'src/app.ts': "const s = await import('./users/store.ts');" },
    /^src\/app\.ts:1 private: .*users\.ts/,
  );
});

test('an import out of src, of a test and of a computed path is refused', () => {
  assertOne({ 'src/users/policy.ts': "import '../../test/create-test-app.ts';" }, / outside: /);
  assertOne({ 'src/users/policy.ts': "import './users.test.ts';" }, / test: /);
  assertOne({ 'src/users/policy.ts': 'await import(name);' }, / computed: /);
  assertOne({ 'src/users/policy.ts': "import '/etc/users.ts';" }, / path: /);
});

test('a folder off the map, a missing folder and a name that says nothing are refused', () => {
  assertOne({ 'src/payments/payments.ts': '' }, /^src\/payments:1 map: not on the map/);
  const { 'src/app.ts': _, ...withoutApp } = lawful;
  assert.match(
    findViolations({ map, files: new Map(Object.entries(withoutApp)) }).join(),
    /^src\/app\.ts:1 map: .*missing/,
  );
  assertOne({ 'src/kernel/index.ts': '' }, / name: /);
  assertOne({ 'src/kernel/utils/dates.ts': '' }, / name: /);
});

test('a map line that cannot be read is a fault, not a silence', () => {
  assert.throws(() => readMap('| 3 | `keys/` | wide open | here | keys |'), /cannot read/);
  assert.throws(
    () => readMap('| 3 | `keys/` | open | here | a |\n| 4 | `keys/` | open | here | b |'),
    /twice/,
  );
  assert.throws(() => readMap('no table'), /no map/);
});

test('the real map is read whole', () => {
  const entries = readMap(readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8'));
  assert.equal(entries.find((entry) => entry.name === 'verification')?.row, 5);
  assert.equal(entries.find((entry) => entry.name === 'app.ts')?.row, 9);
  assert.ok(entries.length >= 22);
});

test('251 lines warn, 401 fail', () => {
  const lines = (count: number): Map<string, string> => new Map([['src/kernel/a.ts', 'x\n'.repeat(count)]]);
  assert.deepEqual(checkSizes(lines(250)), { failures: [], warnings: [] });
  assert.equal(checkSizes(lines(251)).warnings.length, 1);
  assert.equal(checkSizes(lines(400)).failures.length, 0);
  assert.equal(checkSizes(lines(401)).failures.length, 1);
});
