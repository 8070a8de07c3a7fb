import assert from 'node:assert/strict';
import { test } from 'node:test';
import { json, table } from './table.ts';

const ATTACK = 'Curl\u001b[2J\u009b31m\u202eevil\u2028\r\nroot';

test('what a terminal would act on is shown in tables, not done', () => {
  const shown = table(['name', 'from'], [[ATTACK, 'x']]);
  assert.deepEqual(shown.split('\n'), [
    'NAME                      FROM',
    'Curl\ufffd[2J\ufffd31m\ufffdevil\ufffd\ufffd\ufffdroot  x',
    '',
  ]);
});

test('JSON for programs says the same, without a character that a terminal would act on', () => {
  const text = json({ name: ATTACK, list: [1] });
  assert.deepEqual(JSON.parse(text), { name: ATTACK, list: [1] });
  assert.match(text, /\\u009b31m\\u202eevil\\u2028/);
  assert.match(text, /\n {2}"list": \[\n/);
});
