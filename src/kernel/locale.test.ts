import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchLocale, parseAcceptLanguage, SUPPORTED_LOCALES } from './locale.ts';

const match = (requested: string | readonly string[] | undefined) =>
  matchLocale(requested, SUPPORTED_LOCALES, 'en');

test('a tag is shortened from its end until it is available', () => {
  assert.equal(match('fa'), 'fa');
  assert.equal(match('fa-IR'), 'fa');
  assert.equal(match('UZ-Latn-UZ'), 'uz');
  assert.equal(match('ru-x-private'), 'ru');
  assert.equal(match('am-ET-u-nu-latn'), 'am');
  assert.equal(matchLocale('uz-cyrl-UZ', ['uz', 'uz-Cyrl'], 'en'), 'uz-Cyrl');
  assert.equal(matchLocale('zh-Hant-CN-x-a', ['zh-Hant'], 'en'), 'zh-Hant');
});

test('what is not available, not a tag or absent gives the fallback', () => {
  for (const requested of [
    undefined,
    '',
    'de',
    'f',
    'fax',
    'farsi',
    '../fa',
    'fa_IR',
    '*',
    'fa\n',
    '-fa',
    'fa-',
    `fa${'-abcdefgh'.repeat(9)}`,
  ]) {
    assert.equal(match(requested), 'en', requested);
  }
});

test('the first of several that is available wins', () => {
  assert.equal(match(['de-DE', 'ru-RU', 'fa']), 'ru');
  assert.equal(match([]), 'en');
});

test('Accept-Language is read in order of quality', () => {
  assert.deepEqual(parseAcceptLanguage('fa-IR,fa;q=0.9,en-US;q=0.8,en;q=0.7'), [
    'fa-IR',
    'fa',
    'en-US',
    'en',
  ]);
  assert.deepEqual(parseAcceptLanguage('en;q=0.5, ru ; q=0.9, uz'), ['uz', 'ru', 'en']);
  assert.deepEqual(parseAcceptLanguage('en;q=0.8,ru;q=0.8'), ['en', 'ru']);
  assert.deepEqual(parseAcceptLanguage('*;q=0.5, ru;q=0, en;q=1.000'), ['en']);
  assert.deepEqual(parseAcceptLanguage(undefined), []);
});

test('a malformed or endless Accept-Language costs nothing and gives what can be read', () => {
  assert.deepEqual(parseAcceptLanguage('en;q=2, ru;q=-1, uz;q=NaN, fa;level=1, <script>, am'), ['am']);
  assert.deepEqual(parseAcceptLanguage(',,;;q=1,'), []);
  assert.equal(parseAcceptLanguage('en,'.repeat(10_000)).length, 16);
  assert.deepEqual(parseAcceptLanguage(`${'a'.repeat(100_000)},ru`), []);
});
