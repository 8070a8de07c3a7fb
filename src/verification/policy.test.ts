import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCode } from './policy.ts';

test('a code is read as people type and paste it: in groups, in the digits of their keyboard, with marks of direction', () => {
  for (const typed of [
    '482913',
    ' 482 913 ',
    '482-913',
    '۴۸۲۹۱۳',
    '٤٨٢٩١٣',
    '482913',
    '\u200e482913\u200f',
    '۴۸۲ 913',
  ])
    assert.equal(readCode(typed), '482913', JSON.stringify(typed));
  for (const typed of ['', '12', '48291a', '4829１３x', '+482913', '482.913', '12345678901', 'null'])
    assert.equal(readCode(typed), undefined, JSON.stringify(typed));
});
