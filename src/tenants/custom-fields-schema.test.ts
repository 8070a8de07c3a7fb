import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customFieldsSchemaIssue } from './custom-fields-schema.ts';

const of = (properties: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  customFieldsSchemaIssue({ type: 'object', properties, ...more });

test('a schema made of what JSON Schema has is taken, with notes and references', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    title: 'Pupils',
    order: ['email', 'grade'],
    'x-order': ['grade'],
    $defs: { 'a/b': { type: ['string', 'null'], maxLength: 5, 'x-hint': {} } },
    properties: {
      grade: { type: 'integer', minimum: 1, maximum: 12, default: 5, examples: [1] },
      email: {
        type: 'string',
        format: 'email',
        title: 'E-mail',
        titles: { ru: 'Почта' },
        description: 'of a parent',
      },
      slug: { type: 'string', pattern: '^[a-z]+(-[a-z]+)*$' },
      plate: { type: 'string', pattern: '^\\d{2} ?[A-Z]{1,3} ?\\d{3}$' },
      list: { type: 'array', items: { enum: ['a', 'b'] }, uniqueItems: true, minItems: 1 },
      other: { $ref: '#/$defs/a~1b' },
      any: true,
      one: { oneOf: [{ const: 1 }, { multipleOf: 0.5 }], not: { type: 'string' } },
    },
    patternProperties: { '^x_[a-z]+$': { type: 'boolean' } },
    dependentRequired: { email: ['grade'] },
    if: { required: ['slug'] },
    // oxlint-disable-next-line no-thenable -- a keyword of JSON Schema
    then: { required: ['plate'] },
    required: ['grade'],
    additionalProperties: false,
  };
  assert.equal(customFieldsSchemaIssue(schema), undefined);
});

const wrong: [Record<string, unknown>, string, RegExp][] = [
  [{ type: 'array' }, '', /of type object/],
  [{ properties: ['grade'] }, '/properties', /an object/],
  [{ properties: { grade: 'integer' } }, '/properties/grade', /JSON Schema/],
  [{ properties: { grade: { type: 'intger' } } }, '/properties/grade/type', /null, boolean/],
  [{ properties: { grade: { minimum: '1' } } }, '/properties/grade/minimum', /a number/],
  [{ properties: { grade: { maxLength: -1 } } }, '/properties/grade/maxLength', /from 0/],
  [{ properties: { grade: { format: 'emial' } } }, '/properties/grade/format', /date-time, duration, email/],
  [{ properties: { grade: { titles: { ru: 5 } } } }, '/properties/grade/titles/ru', /must be text/],
  [{ properties: { grade: { enum: [] } } }, '/properties/grade/enum', /a list of values/],
  [{ properties: { grade: { pattern: '([' } } }, '/properties/grade/pattern', /no regular expression/],
  [{ properties: { grade: { $ref: '#/$defs/none' } } }, '/properties/grade/$ref', /leads to nothing/],
  [{ properties: { grade: { $ref: '#/%' } } }, '/properties/grade/$ref', /leads to nothing/],
  [{ properties: { grade: { $ref: 'https://x.example/y' } } }, '/properties/grade/$ref', /in this schema/],
  [{ require: ['grade'] }, '/require', /no keyword.*x-/],
  [{ required: 'grade' }, '/required', /a list of names/],
  [{ allOf: [{ type: 'object' }, { tpye: 'object' }] }, '/allOf/1/tpye', /no keyword/],
  [{ allOf: [{ $ref: '#' }] }, '', /can be used/],
  [{ patternProperties: { '^(a+)+$': {} } }, '/patternProperties/^(a+)+$', /too long/],
];
for (const [more, path, message] of wrong) {
  test(`${JSON.stringify(more)} is refused with its place`, () => {
    const issue = customFieldsSchemaIssue({ type: 'object', ...more });
    assert.equal(issue?.path, path);
    assert.match(issue.message, message);
  });
}

test('S40 an expression that never ends for some texts is refused when it is saved', () => {
  for (const pattern of ['^(a+)+$', '^(\\w+\\s?)+$', '^([0-9]|\\d)*$', '(x+x+)+y', '^(.*,){20}x$']) {
    assert.match(of({ text: { pattern } })?.message ?? 'taken', /too long for some texts/, pattern);
  }
});
