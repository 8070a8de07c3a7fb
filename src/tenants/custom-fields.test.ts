import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customFieldIssues } from './custom-fields.ts';
import { deliverySettingsSchema } from './delivery-settings.ts';

const { pattern: OURS = '' } = deliverySettingsSchema.properties.currency as { pattern?: string };
/** No sample of ours finds it out: the repetition stands behind a word. */
const SLOW = { type: 'object', properties: { text: { type: 'string', pattern: '^qw(a+)+$' } } };

test('S40 a text that a pattern never ends with is refused in time, and many cost a tenth of a second each second', async () => {
  const evil = { text: `qw${'a'.repeat(26)}!` };
  const isTooLong = (fields: Record<string, unknown>): boolean =>
    customFieldIssues(SLOW, fields, '/custom_fields')[0]?.message.includes('too long') ?? false;
  const isTaken = (): boolean => customFieldIssues(SLOW, { text: 'qwaaaa' }, '/custom_fields').length === 0;
  assert.ok(isTooLong(evil));
  // A machine that stands still for fifteen milliseconds would look like a slow text.
  assert.ok([1, 2, 3].some(isTaken), 'a good one meanwhile');
  const began = performance.now();
  for (let round = 0; round < 500; round++) assert.ok(isTooLong(evil));
  const took = performance.now() - began;
  assert.ok(took < 1000, `${took} ms for five hundred`);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok([1, 2, 3].some(isTaken), 'and after');
});

test('values that a field may have are named', () => {
  const schema = { type: 'object', properties: { form: { enum: ['5a', '5b'] } } };
  assert.deepEqual(customFieldIssues(schema, { form: '6a' }, '/custom_fields'), [
    { path: '/custom_fields/form', message: 'must be one of 5a, 5b' },
  ]);
});

test('a pattern of the tenant is told as it is, not in the words of a setting of ours that has the same', () => {
  const schema = { type: 'object', properties: { code: { type: 'string', pattern: OURS } } };
  assert.deepEqual(customFieldIssues(schema, { code: 'x' }, '/custom_fields'), [
    { path: '/custom_fields/code', message: `must match pattern "${OURS}"` },
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
