import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSecurityBreaches } from './check-security.ts';

const TESTS = new Map([
  [
    'test/race/one.test.ts',
    "test('S01 it holds', async () => {});\ntest(`S01 ${way} holds, too`, () => {});",
  ],
]);
const FAULTS = new Map([['S01-broken', 'It is broken.\nShown by: S01 it holds\n\n--- a/src/x.ts']]);
const ROW = '| S01 | holds | [one](../../test/race/one.test.ts) | `broken` |';

/** The page with these rows; every other rule is spoken of, so that only the rows can be wrong. */
function breaches(rows: readonly string[], tests = TESTS, faults = FAULTS): string[] {
  const numbers = Array.from({ length: 52 }, (_, index) => String(index + 1).padStart(2, '0'));
  const others = numbers.flatMap((number) => [`S${number}`, `R${number}`]).join(' ');
  const page = ['| rule | what | shown by | faults |', '|---|---|---|---|', ...rows, others].join('\n');
  return findSecurityBreaches(page, { tests, faults }).map((breach) => breach.replace(/^\S+ security: /, ''));
}

test('a row with its test and its fault passes', () => {
  assert.deepEqual(breaches([ROW]), []);
});

test('a test that is gone, or carries another name, is told', () => {
  assert.match(breaches([ROW.replace('one.test', 'two.test')])[0] ?? '', /two\.test\.ts, which is no test/);
  const renamed = new Map([['test/race/one.test.ts', "test('S02 it holds', () => {});"]]);
  const told = breaches([ROW], renamed);
  assert.ok(told.some((breach) => breach.includes('no test whose name begins with "S01 "')));
  assert.ok(told.some((breach) => breach.includes('no test is named "S01 it holds"')));
  assert.ok(told.some((breach) => breach.includes('a test is named S02')));
  assert.match(breaches(['| S01 | holds | nothing | `broken` |'])[0] ?? '', /shown by no test/);
});

test('a fault that is gone, and one that no row names, are told', () => {
  assert.match(breaches([ROW], TESTS, new Map())[0] ?? '', /S01-broken\.patch is missing/);
  const more = new Map([...FAULTS, ['S01-other', 'Other.\n\n--- a/src/x.ts']]);
  assert.deepEqual(breaches([ROW], TESTS, more), ['no row of docs/reference/security.md names it.']);
});

test('a grave rule wants a fault, another may do without', () => {
  assert.match(breaches([ROW.replace('`broken`', '—')], TESTS, new Map())[0] ?? '', /never seen red/);
  const tests = new Map([['test/race/one.test.ts', "test('S47 it holds', () => {});"]]);
  const row = '| S47 | holds | [one](../../test/race/one.test.ts) | — |';
  assert.deepEqual(breaches([row], tests, new Map()), []);
});

test('a name that is put together at run time is found', () => {
  const faults = new Map([['S01-broken', 'Broken.\nShown by: S01 by night holds, too\n\n']]);
  assert.deepEqual(breaches([ROW], TESTS, faults), []);
});

test('a rule that the page says nothing of is told', () => {
  const told = findSecurityBreaches('', { tests: new Map(), faults: new Map() });
  assert.equal(told.length, 52 + 17);
});
