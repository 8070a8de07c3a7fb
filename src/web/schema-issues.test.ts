import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { schemaIssues, textOf } from './schema-issues.ts';

const schema = Type.Object({
  channel: Type.Optional(Type.Enum(['sms', 'email'])),
  kind: Type.Optional(Type.Literal('browser')),
  slug: Type.Optional(Type.String(textOf('^[a-z]+$', 'may have small letters only'))),
  own: Type.Optional(Type.String({ pattern: '^x$' })),
});
const messageOf = (value: object): string | undefined =>
  schemaIssues(Compile(schema).Errors(value))[0]?.message;

test('what may stand in a field is told in words: its values, and what its pattern means', () => {
  assert.equal(messageOf({ channel: 'pigeon' }), 'must be one of sms, email');
  assert.equal(messageOf({ kind: 'app' }), 'must be browser');
  assert.equal(messageOf({ slug: 'A b' }), 'may have small letters only');
  assert.equal(
    messageOf({ own: 'y' }),
    'must match pattern "^x$"',
    'somebody else’s pattern is all there is',
  );
});

test('a pattern has one meaning: a second one would be told of the fields of the first', () => {
  assert.throws(
    () => textOf('^[a-z]+$', 'may have letters'),
    /two things.*small letters only.*may have letters/,
  );
});
