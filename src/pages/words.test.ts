import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { pageLocales, wordsOf } from './words.ts';

type Tree = { [name: string]: string | Tree };

const FORMS = ['zero', 'one', 'two', 'few', 'many', 'other'];

/** Every text by its path: `verify.title`; one form of a plural is `verify.attempts#one`. */
function textsOf(tree: Tree, path = ''): [string, string][] {
  const isPlural = Object.keys(tree).every((name) => FORMS.includes(name));
  return Object.entries(tree).flatMap(([name, value]) => {
    const own = path === '' ? name : `${path}${isPlural ? '#' : '.'}${name}`;
    return typeof value === 'string' ? [[own, value] as [string, string]] : textsOf(value, own);
  });
}

const isForm = (path: string): boolean => path.includes('#');
const holesOf = (text: string): string[] => Array.from(text.matchAll(/\{\w+\}/g), ([hole]) => hole).sort();
const english = new Map(textsOf(wordsOf('en') as unknown as Tree));

test('a language is one file, and each file is a language', () => {
  const files = readdirSync(new URL('./languages/', import.meta.url)).map((name) => name.replace('.ts', ''));
  assert.deepEqual(files.sort(), [...pageLocales].sort());
});

for (const locale of pageLocales) {
  test(`${locale} has every text, none of them empty, with the holes that are filled in`, () => {
    const texts = new Map(textsOf(wordsOf(locale) as unknown as Tree));
    const plain = (all: Map<string, string>): string[] =>
      [...all.keys()].filter((path) => !isForm(path)).sort();
    assert.deepEqual(plain(texts), plain(english));
    for (const [path, text] of texts) {
      assert.notEqual(text.trim(), '', path);
      if (isForm(path)) assert.ok(text.includes('{count}') || /#(?:one|two|zero)$/.test(path), path);
      else assert.deepEqual(holesOf(text), holesOf(english.get(path) ?? ''), path);
    }
  });

  test(`${locale} counts as its language does`, () => {
    const forms = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
    const texts = textsOf(wordsOf(locale) as unknown as Tree).filter(([path]) => isForm(path));
    const counted = new Set(texts.map(([path]) => path.slice(0, path.indexOf('#'))));
    assert.ok(counted.size > 0);
    for (const name of counted) {
      const given = texts.filter(([path]) => path.startsWith(`${name}#`)).map(([path]) => path.split('#')[1]);
      assert.ok(given.includes('other'), name);
      // Where a language has the form it may say the same; a form that it has not would never be said.
      for (const form of given) assert.ok(form && (forms as string[]).includes(form), `${name}#${form}`);
    }
  });
}
