import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customFieldIssues } from './custom-fields.ts';

/** No sample of ours finds it out: the repetition stands behind a word. */
const SLOW = { type: 'object', properties: { text: { type: 'string', pattern: '^qw(a+)+$' } } };

test('S40 a text that a pattern never ends with is refused in time, and good ones are taken meanwhile', () => {
  const evil = { text: `qw${'a'.repeat(26)}!` };
  const began = performance.now();
  for (let round = 0; round < 20; round++) {
    assert.match(customFieldIssues(SLOW, evil, '/custom_fields')[0]?.message ?? 'taken', /too long/);
    assert.deepEqual(customFieldIssues(SLOW, { text: 'qwaaaa' }, '/custom_fields'), []);
  }
  const took = performance.now() - began;
  assert.ok(took < 3000, `${took} ms for twenty: the first may take fifty, those after it fifteen each`);
});

test('values that a field may have are named', () => {
  const schema = { type: 'object', properties: { form: { enum: ['5a', '5b'] } } };
  assert.deepEqual(customFieldIssues(schema, { form: '6a' }, '/custom_fields'), [
    { path: '/custom_fields/form', message: 'must be one of 5a, 5b' },
  ]);
});

test('a reference that goes round in circles is a refusal, not a fault', () => {
  const circle = {
    type: 'object',
    properties: { a: { $ref: '#/properties/b' }, b: { $ref: '#/properties/a' } },
  };
  assert.equal(customFieldIssues(circle, { a: 1 }, '/custom_fields')[0]?.path, '/custom_fields');
  assert.deepEqual(customFieldIssues(circle, {}, '/custom_fields'), []);
});
