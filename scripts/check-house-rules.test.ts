import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBreaches } from './check-house-rules.ts';

function rulesBroken(path: string, text: string): string[] {
  return findBreaches(path, text).map((breach) => /\d (.+?):/.exec(breach)?.[1] ?? breach);
}

test('chance is refused everywhere in src, tests and the command line included', () => {
  for (const path of [
    'src/users/users.ts',
    'src/users/users.test.ts',
    'src/cli/serve.ts',
    'src/kernel/random.ts',
  ]) {
    assert.deepEqual(rulesBroken(path, 'const a = Math.random();'), ['random']);
  }
  assert.deepEqual(rulesBroken('src/a/a.ts', 'const { random } = Math;'), ['random']);
  assert.deepEqual(rulesBroken('src/a/a.ts', "Math['random']();"), ['random']);
  assert.deepEqual(rulesBroken('src/a/a.ts', 'const a = Math.floor(b);'), []);
});

test('reading the clock is refused but in kernel/clock.ts, the command line and tests', () => {
  for (const text of [
    'Date.now()',
    'new Date()',
    'new Date( )',
    'new Date',
    'const now = Date.now;',
    'Date()',
  ]) {
    assert.deepEqual(rulesBroken('src/users/users.ts', text), ['clock'], text);
    for (const path of [
      'src/kernel/clock.ts',
      'src/db/embedded/owner-lock.ts',
      'src/cli/serve.ts',
      'src/users/users.test.ts',
    ]) {
      assert.deepEqual(rulesBroken(path, text), [], path);
    }
  }
  assert.deepEqual(rulesBroken('src/users/users.ts', 'const { now } = Date;'), ['clock']);
});

test('a date made from a value, and the type, are no reading of the clock', () => {
  for (const text of [
    'new Date(at)',
    'new Date(\n  clock.now(),\n)',
    'let a: Date;',
    'a instanceof Date',
    'toDate(a)',
    'Date.parse(a)',
  ]) {
    assert.deepEqual(rulesBroken('src/users/users.ts', text), [], text);
  }
});

test('the environment is read in config/ and by the command line only', () => {
  const reads = [
    'process.env.PORT',
    "process['env']",
    'const { env } = process;',
    "import { env } from 'node:process';",
  ];
  for (const text of reads) {
    assert.deepEqual(rulesBroken('src/db/client.ts', text), ['environment'], text);
    assert.deepEqual(rulesBroken('src/config/config.ts', text), []);
    assert.deepEqual(rulesBroken('src/db/embedded/cluster.ts', text), []);
  }
  assert.deepEqual(rulesBroken('src/db/client.ts', "process.on('exit', stop); process.pid;"), []);
});

test('the console belongs to the command line', () => {
  assert.deepEqual(rulesBroken('src/db/client.ts', "console.log('x');"), ['console']);
  assert.deepEqual(rulesBroken('src/cli/serve.ts', "console.log('x');"), []);
});

test('a skipped test is refused', () => {
  assert.deepEqual(rulesBroken('src/a/a.test.ts', "test.skip('x', () => {});"), ['skipped test']);
  assert.deepEqual(rulesBroken('test/race/a.test.ts', "test('x', { skip: true }, () => {});"), [
    'skipped test',
  ]);
});

test('comments and strings break nothing; a breach tells file and line', () => {
  assert.deepEqual(
    findBreaches('src/a/a.ts', "// Math.random()\nconst a = 'Date.now() process.env console.log';"),
    [],
  );
  assert.match(findBreaches('src/a/a.ts', '\n\nDate.now();')[0] as string, /^src\/a\/a\.ts:3 clock: /);
});
