import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStrictJson } from './json-body.ts';

const issueOf = (text: string) => {
  const result = parseStrictJson(text);
  return result.ok ? undefined : `${result.issue.path} ${result.issue.message}`;
};
const isAccepted = (text: string) => parseStrictJson(text).ok;

test('a body is read as JSON.parse reads it', () => {
  const text =
    ' {"phone": "+14155552671", "a\\"b": [1, {"c": null}, "}],{\\u00e9"], "device": {"name":""}, "": true}\n';
  assert.deepEqual(parseStrictJson(text), { ok: true, value: JSON.parse(text) });
  for (const scalar of ['1', '"a"', 'null', 'true', '[]', '{}', '""']) {
    assert.deepEqual(parseStrictJson(scalar), { ok: true, value: JSON.parse(scalar) });
  }
});

test('what is not JSON is refused, a byte order mark included', () => {
  for (const text of [
    '',
    ' ',
    '{',
    '{"a":1,}',
    "{'a':1}",
    '{"a":1}{}',
    '\ufeff{}',
    'NaN',
    '[1,]',
    '// x\n{}',
    '"\n"',
    'undefined',
  ]) {
    assert.equal(issueOf(text), ' is not valid JSON', JSON.stringify(text));
  }
});

test('S40 the same key twice in one object is refused, and the place is told', () => {
  assert.equal(issueOf('{"code":"1","code":"2"}'), '/code is given more than once');
  assert.equal(issueOf('{"a":[0,{"b":1,"c":{},"b":2}]}'), '/a/1/b is given more than once');
  assert.equal(issueOf('{"code":"1","c\\u006fde":"2"}'), '/code is given more than once');
  assert.equal(issueOf('{"a/~b":1,"a/~b":2}'), '/a~1~0b is given more than once');
  assert.equal(issueOf('{"":1,"":2}'), '/ is given more than once');
  assert.ok(isAccepted('{"a":{"a":{"a":["a","a"]}},"b":[{"a":1},{"a":1}]}'));
  assert.ok(isAccepted('{"a":"\\"b\\":1,\\"b\\":2"}'));
  assert.ok(isAccepted('{"a":"b","b":"a"}'));
  assert.equal(issueOf(`{"${'k'.repeat(9_000)}":1,"${'k'.repeat(9_000)}":2}`)?.length, 1 + 64 + 24);
});

test('S40 more than a thousand fields of one object are refused', () => {
  const object = (keys: number): string =>
    `{${Array.from({ length: keys }, (_, index) => `"k${index}":1`).join(',')}}`;
  assert.ok(isAccepted(object(1000)));
  assert.equal(issueOf(object(1001)), ' may hold 1000 fields at most');
  assert.equal(issueOf(`{"a":[0,${object(1001)}]}`), '/a/1 may hold 1000 fields at most');
  assert.ok(isAccepted(`[${`${object(400)},`.repeat(3)}1]`));
});

test('S40 more than eight levels are refused, however many', () => {
  assert.ok(isAccepted('['.repeat(8) + ']'.repeat(8)));
  assert.ok(isAccepted(`${'{"a":'.repeat(8)}1${'}'.repeat(8)}`));
  assert.equal(issueOf('['.repeat(9) + ']'.repeat(9)), '/0/0/0/0/0/0/0/0 is nested deeper than 8 levels');
  assert.equal(
    issueOf(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`),
    '/a/a/a/a/a/a/a/a is nested deeper than 8 levels',
  );
  assert.equal(isAccepted('['.repeat(30_000) + ']'.repeat(30_000)), false);
  assert.ok(isAccepted(`[${'[[[[[[[]]]]]]],'.repeat(50)}0]`));
});

test('S40 keys that reach a prototype are refused', () => {
  assert.equal(issueOf('{"__proto__":{"role":"admin"}}'), '/__proto__ is not an allowed name');
  assert.equal(issueOf('{"a":[{"__pro\\u0074o__":1}]}'), '/a/0/__proto__ is not an allowed name');
  assert.equal(issueOf('{"constructor":{"prototype":{}}}'), '/constructor/prototype is not an allowed name');
  assert.ok(isAccepted('["a","__proto__"]'));
  assert.ok(isAccepted('{"constructor":"Smith","prototype":1,"a":"__proto__"}'));
});

test('S40 characters that PostgreSQL cannot store are refused', () => {
  for (const string of ['\\u0000', '\\ud800', '\\udc00\\ud800', 'a\\ud83dz', '\ud800']) {
    assert.equal(isAccepted(`{"a":"${string}"}`), false, string);
    assert.equal(isAccepted(`{"${string}":1}`), false, string);
    assert.equal(isAccepted(`"${string}"`), false, string);
  }
  assert.equal(issueOf('{"a":["b","\\u0000"]}'), '/a/1 holds a character that cannot be stored');
  const cut = parseStrictJson(`{"${'k'.repeat(63)}😀":"\\u0000"}`);
  assert.ok(!cut.ok && cut.issue.path.isWellFormed() && cut.issue.path.length === 65);
  assert.ok(isAccepted('{"a":"\\ud83d\\ude00 \\\\u0000 😀 \\u0001"}'));
});

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'constructor', 'prototype', '"', '\\', '{'),
  fc.string({ unit: 'grapheme' }),
);

test('a value that is accepted is the value of JSON.parse; what JSON.stringify wrote is accepted', () => {
  const safe = fc.jsonValue({ maxDepth: 7, noUnicodeString: false });
  fc.assert(
    fc.property(safe, fc.constantFrom(undefined, 1), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      const result = parseStrictJson(text);
      if (result.ok) assert.deepEqual(result.value, JSON.parse(text));
      else assert.match(text, /__proto__|prototype|\\u0000|\\ud[89a-f]/);
    }),
  );
});

test('it accepts exactly what a plain model accepts', () => {
  type Node =
    | { kind: 'leaf'; value: unknown }
    | { kind: 'list'; items: Node[] }
    | { kind: 'object'; entries: [string, Node][] };
  const { tree } = fc.letrec<{ tree: Node; list: Node; object: Node; leaf: Node }>((tie) => ({
    tree: fc.oneof({ maxDepth: 10, depthIdentifier: 'tree' }, tie('leaf'), tie('list'), tie('object')),
    leaf: fc.oneof(name, fc.integer(), fc.boolean()).map((value) => ({ kind: 'leaf', value })),
    list: fc
      .array(tie('tree'), { maxLength: 3, depthIdentifier: 'tree' })
      .map((items) => ({ kind: 'list', items })),
    object: fc
      .array(fc.tuple(name, tie('tree')), { maxLength: 4, depthIdentifier: 'tree' })
      .map((entries) => ({ kind: 'object', entries })),
  }));
  const write = (node: Node): string => {
    if (node.kind === 'leaf') return JSON.stringify(node.value);
    if (node.kind === 'list') return `[${node.items.map(write).join(' , ')}]`;
    return `{${node.entries.map(([key, child]) => `${JSON.stringify(key)} :${write(child)}`).join(',')}}`;
  };
  const isFine = (node: Node, depth: number, parentKey: string | number): boolean => {
    if (node.kind === 'leaf') return !String(node.value).includes('\0');
    if (depth === 8) return false;
    if (node.kind === 'list') return node.items.every((item) => isFine(item, depth + 1, 0));
    const keys = node.entries.map(([key]) => key);
    return (
      new Set(keys).size === keys.length &&
      !keys.includes('__proto__') &&
      !keys.some((key) => key.includes('\0')) &&
      !(parentKey === 'constructor' && keys.includes('prototype')) &&
      node.entries.every(([key, child]) => isFine(child, depth + 1, key))
    );
  };
  let refused = 0;
  fc.assert(
    fc.property(tree, (node) => {
      const expected = isFine(node, 0, '');
      if (!expected) refused += 1;
      assert.equal(isAccepted(write(node)), expected);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(refused > 50, `only ${refused} trees were refused: the property says too little`);
});

test('any text at all gives an answer, never an exception', () => {
  const noise = fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0dn1 a\0\ud800'), maxLength: 40 });
  fc.assert(
    fc.property(noise, (text) => assert.equal(typeof parseStrictJson(text).ok, 'boolean')),
    { numRuns: 5_000 },
  );
});
