import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRepeatedHeader } from './duplicate-headers.ts';

const usual = [
  'Host',
  'a.example',
  'User-Agent',
  'x',
  'Accept',
  '*/*',
  'Content-Type',
  'application/json',
  'Content-Length',
  '2',
  'Cookie',
  'a=b',
  'Authorization',
  'Bearer x',
  'X-Tenant',
  'us',
  'Origin',
  'https://a.example',
  'Idempotency-Key',
  'k',
  'Sec-Fetch-Site',
  'same-origin',
];

test('a usual request repeats nothing', () => {
  assert.equal(findRepeatedHeader(usual), undefined);
  assert.equal(findRepeatedHeader([]), undefined);
});

test('a header that may come once is found when it comes twice, in any case', () => {
  for (const name of [
    'authorization',
    'content-length',
    'content-type',
    'cookie',
    'host',
    'idempotency-key',
    'origin',
    'sec-fetch-site',
    'x-csrf-token',
    'x-tenant',
  ]) {
    assert.equal(findRepeatedHeader([name, '1', 'Accept', '*/*', name.toUpperCase(), '1']), name);
    assert.equal(findRepeatedHeader([...usual, name, '1', name, '1']), name);
    const other = name === 'host' ? 'Cookie' : 'Host';
    assert.equal(findRepeatedHeader([name, '1', other, '1', name, '1']), name);
  }
});

test('a header that is a list may come again; a value is never taken for a name', () => {
  const lists = ['X-Forwarded-For', 'Forwarded', 'Via', 'Accept', 'Accept-Language', 'Cache-Control'];
  assert.equal(findRepeatedHeader([...usual, ...lists.flatMap((name) => [name, '1', name, '2'])]), undefined);
  assert.equal(findRepeatedHeader(['Host', 'host', 'X-Note', 'host']), undefined);
  // Same length as Host, Cookie and X-Tenant.
  assert.equal(
    findRepeatedHeader([
      'From',
      'a',
      'From',
      'a',
      'Accept',
      'b',
      'Accept',
      'b',
      'X-Sender',
      'c',
      'X-Sender',
      'c',
    ]),
    undefined,
  );
});
