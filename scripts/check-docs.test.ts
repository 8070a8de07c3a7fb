import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDocBreaches, headingAnchor } from './check-docs.ts';

const pages: Record<string, string> = {
  'README.md': '# Firstproof\n## Set up & run\n',
  'docs/guides/sms.md': '# SMS\n```\n# not a heading\n```\n',
  'docs/guides': '',
};
const breaches = (text: string, path = 'docs/a.md'): string[] =>
  findDocBreaches(path, text, (name) => pages[name]);

test('links that lead somewhere pass', () => {
  const text = [
    '[a](../README.md) [b](guides/sms.md#sms) [c](../README.md#set-up--run) [d](guides/) [e](https://example.org/x)',
    '![f](guides/sms.md "title") [g](#here)',
    '## Here',
    '[h]: ../README.md',
    '`[no](link.md)`',
    '```',
    '[no](link.md)',
    '```',
  ].join('\n');
  assert.deepEqual(breaches(text), []);
});

test('a link that leads nowhere is refused with its line', () => {
  assert.match(
    breaches('x\n\n[a](missing.md)')[0] as string,
    /^docs\/a\.md:3 docs: missing\.md leads nowhere/,
  );
  assert.equal(breaches('[a]: missing.md').length, 1);
  assert.equal(breaches('[a](/README.md)').length, 1);
});

test('an anchor without its heading is refused, a line of code is no heading', () => {
  assert.equal(breaches('[a](../README.md#gone)').length, 1);
  assert.equal(breaches('[a](guides/sms.md#not-a-heading)').length, 1);
  assert.equal(breaches('[a](#gone)').length, 1);
});

test('a path of one machine is refused, also in code; a path of a server is not', () => {
  assert.equal(breaches('see `/home/anna/firstproof`').length, 1);
  assert.equal(breaches('see /Users/anna/firstproof').length, 1);
  assert.deepEqual(breaches('/var/lib/firstproof, /etc/firstproof.env, https://example.org/home/page'), []);
});

test('anchors are made as GitHub makes them', () => {
  assert.equal(headingAnchor('Set up & run'), 'set-up--run');
  assert.equal(headingAnchor('`POST /api` in [five](x.md) files'), 'post-api-in-five-files');
});
