import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dictionary } from '@zxcvbn-ts/language-common';
import { passwordIssues } from './strength.ts';

const rules = { minLength: 8, minScore: 2 };
const reasons = async (password: string, about: string[] = []): Promise<string> =>
  (await passwordIssues(password, rules, about, '/password')).map((issue) => issue.message).join('; ');

test('S26 each of the most used passwords is refused, and told why', async () => {
  const list = dictionary['passwords-common'];
  assert.ok(list.length >= 3000);
  for (const word of list) assert.match(await reasons(word), /most used|at least 8/, word);
  assert.match(await reasons('PASSWORD1'), /most used/);
});

test('S26 lengths are code points, from the least to 256', async () => {
  assert.match(await reasons('Kp7!wZq'), /at least 8/);
  assert.equal(await reasons('Kp7!wZqx'), '');
  assert.match(await reasons('\u{1f600}\u{1f680}\u{1f355}\u{1f3b8}'), /at least 8/);
  assert.equal(await reasons('\u{1f600}\u{1f680}'.repeat(32)), '');
  assert.equal(await reasons('x'.repeat(256)), '');
  assert.match(await reasons('x'.repeat(257)), /256 characters at most/);
});

test('S26 own words are no password, with digits around them either', async () => {
  const about = ['ada.lovelace@example.net', 'Ada', 'Lovelace', 'Analytical Engines'];
  for (const password of ['LOVELACE1843', 'ada.lovelace', 'Analytical-2026', 'ada1lovelace2']) {
    assert.match(await reasons(password, about), /your name/, password);
  }
  assert.equal(await reasons('lovelace rides bicycles', about), '');
});

test('S26 no rule of composition: a long plain phrase is enough', async () => {
  for (const password of ['correct horse battery staple', 'sardine umbrella trombone']) {
    assert.equal(await reasons(password), '', password);
  }
});

test('S28 digits and signs for letters do not make a password dear to judge', async () => {
  const time = async (password: string): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < 9; round++) {
      const begun = performance.now();
      await reasons(password);
      times.push(performance.now() - begun);
    }
    return Math.min(...times);
  };
  const plain = await time('correct horse battery staple trombones u');
  const signs = await time('p4$$w0rd1|!3@p4$$w0rd1|!3@p4$$w0rd1|!3@p');
  assert.ok(signs < 10 * plain, `${signs} ms, and ${plain} ms for plain words`);
  assert.match(await reasons('p4$$w0rd1'), /too easy|most used/);
});
