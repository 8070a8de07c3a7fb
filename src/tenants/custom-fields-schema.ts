import Format from 'typebox/format';
import { Compile } from 'typebox/schema';
import type { Issue } from '../kernel/errors.ts';
import { inTime } from './in-time.ts';

/** A JSON Schema (draft 2020-12) of type object: what a tenant wants to know of its people. */
export type CustomFieldsSchema = Record<string, unknown>;

/** What a keyword of a schema may hold; undefined: nothing is wrong. */
type Rule = (value: unknown, path: string, root: CustomFieldsSchema) => Issue | undefined;

const DEEPEST = 16;
const TYPES: readonly unknown[] = ['null', 'boolean', 'object', 'array', 'number', 'integer', 'string'];

/**
 * What makes a schema unusable as one of custom fields, or undefined. Keywords that there are not are refused: one that
 * is misspelt would be passed over, and what it should keep out let in.
 */
export function customFieldsSchemaIssue(schema: CustomFieldsSchema): Issue | undefined {
  if (schema['type'] !== 'object') return { path: '', message: 'must be a JSON Schema of type object' };
  const issue = schemaIssue(schema, '', schema);
  if (issue) return issue;
  try {
    inTime(1000, () =>
      Compile({ additionalProperties: false, ...schema } as Record<string, unknown>).Check({}),
    );
    return undefined;
  } catch {
    return { path: '', message: 'is not a JSON Schema that can be used' };
  }
}

function schemaIssue(value: unknown, path: string, root: CustomFieldsSchema): Issue | undefined {
  if (typeof value === 'boolean') return undefined;
  if (!isRecord(value)) return { path, message: 'must be a JSON Schema: an object, true or false' };
  if (path.split('/').length > 2 * DEEPEST) return { path, message: 'is too deep' };
  for (const [name, inner] of Object.entries(value)) {
    const at = `${path}/${step(name)}`;
    const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
    if (!rule && name.startsWith('x-')) continue;
    const issue = rule ? rule(inner, at, root) : { path: at, message: UNKNOWN };
    if (issue) return issue;
  }
  return undefined;
}

const UNKNOWN = 'is no keyword of JSON Schema; notes of your own begin with x-';

/** A rule that either holds or does not. */
const when =
  (message: string, holds: (value: unknown) => boolean): Rule =>
  (value, path) =>
    holds(value) ? undefined : { path, message };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const anything: Rule = () => undefined;
const text = when('must be text', (value) => typeof value === 'string');
const number = when('must be a number', (value) => typeof value === 'number');
const count = when('must be a whole number from 0', (value) => Number.isInteger(value) && Number(value) >= 0);
const flag = when('must be true or false', (value) => typeof value === 'boolean');
const names = when('must be a list of names', isTexts);

const each =
  (rule: Rule): Rule =>
  (value, path, root) => {
    if (!isRecord(value)) return { path, message: 'must be an object' };
    return firstIssue(
      Object.entries(value).map(([name, inner]) => rule(inner, `${path}/${step(name)}`, root)),
    );
  };

const schemas: Rule = (value, path, root) => {
  if (!Array.isArray(value) || value.length === 0) return { path, message: 'must be a list of schemas' };
  return firstIssue(value.map((inner, place) => schemaIssue(inner, `${path}/${place}`, root)));
};

const type = when(`must be one of ${TYPES.join(', ')}, or a list of them`, (value) =>
  Array.isArray(value)
    ? value.length > 0 && value.every((item) => TYPES.includes(item))
    : TYPES.includes(value),
);

const format: Rule = (value, path) =>
  typeof value === 'string' && Format.Has(value)
    ? undefined
    : {
        path,
        message: `must be one of ${Format.Entries()
          .map(([name]) => name)
          .sort()
          .join(', ')}`,
      };

const patterned: Rule = (value, path, root) =>
  isRecord(value)
    ? (firstIssue(Object.keys(value).map((name) => pattern(name, `${path}/${step(name)}`))) ??
      each(schemaIssue)(value, path, root))
    : { path, message: 'must be an object' };

const reference: Rule = (value, path, root) => {
  if (typeof value !== 'string' || !/^#(\/|$)/.test(value)) {
    return { path, message: 'must lead to a place in this schema, such as #/$defs/name' };
  }
  const found = placeIn(root, value);
  return found === undefined ? { path, message: 'leads to nothing in this schema' } : undefined;
};

/** What a reference such as #/$defs/name leads to (RFC 6901, 6). */
function placeIn(root: CustomFieldsSchema, fragment: string): unknown {
  let names: string[];
  try {
    names = decodeURIComponent(fragment).split('/').slice(1);
  } catch {
    return undefined;
  }
  let target: unknown = root;
  for (const name of names) {
    const key = name.replaceAll('~1', '/').replaceAll('~0', '~');
    target =
      (isRecord(target) || Array.isArray(target)) && Object.hasOwn(target, key)
        ? (target as Record<string, unknown>)[key]
        : undefined;
  }
  return target;
}

function pattern(value: unknown, path: string): Issue | undefined {
  if (typeof value !== 'string') return { path, message: 'must be text' };
  let expression: RegExp;
  try {
    expression = new RegExp(value, 'u');
  } catch {
    return { path, message: 'is no regular expression' };
  }
  const endless = textsToTry(value).find((sample) => !endsInTime(expression, sample));
  return endless === undefined
    ? undefined
    : { path, message: 'takes too long for some texts: no repetition within a repetition, as in (a+)+' };
}

const LONGEST_TRY = 48;

/** Texts that make an expression with nested repetitions try every way there is: one sign many times, and no match. */
function textsToTry(expression: string): string[] {
  const signs = new Set(`aA0 -_.@${expression.replace(/\\[a-zA-Z]/g, '').slice(0, 200)}`.split(''));
  return Array.from(signs, (sign) => `${sign.repeat(LONGEST_TRY)}\u0001`);
}

/** A second, longer look before anything is said against it: a machine may stand still for a moment. */
function endsInTime(expression: RegExp, sample: string): boolean {
  for (const milliseconds of [20, 200]) {
    try {
      inTime(milliseconds, () => expression.test(sample));
      return true;
    } catch {
      continue;
    }
  }
  return false;
}

const RULES: Readonly<Record<string, Rule>> = {
  ...{ $schema: text, $id: text, $comment: text, title: text, description: text, contentMediaType: text },
  ...{ default: anything, const: anything, examples: anything, contentEncoding: text },
  ...{ readOnly: flag, writeOnly: flag, deprecated: flag, uniqueItems: flag },
  ...{ minimum: number, maximum: number, exclusiveMinimum: number, exclusiveMaximum: number },
  multipleOf: when('must be a number above 0', (value) => typeof value === 'number' && value > 0),
  ...{ minLength: count, maxLength: count, minItems: count, maxItems: count },
  ...{ minProperties: count, maxProperties: count, minContains: count, maxContains: count },
  ...{ type, format, pattern, required: names, $ref: reference },
  // Ours: in which order and languages the pages and the element ask.
  ...{ order: names, titles: each(text) },
  enum: when('must be a list of values', (value) => Array.isArray(value) && value.length > 0),
  ...{ properties: each(schemaIssue), $defs: each(schemaIssue), definitions: each(schemaIssue) },
  ...{ patternProperties: patterned, dependentSchemas: each(schemaIssue), dependentRequired: each(names) },
  ...{ additionalProperties: schemaIssue, unevaluatedProperties: schemaIssue, propertyNames: schemaIssue },
  ...{ items: schemaIssue, unevaluatedItems: schemaIssue, contains: schemaIssue, prefixItems: schemas },
  ...{ allOf: schemas, anyOf: schemas, oneOf: schemas, not: schemaIssue },
  // oxlint-disable-next-line no-thenable -- a keyword of JSON Schema
  ...{ if: schemaIssue, then: schemaIssue, else: schemaIssue },
};

function firstIssue(issues: readonly (Issue | undefined)[]): Issue | undefined {
  return issues.find((issue) => issue !== undefined);
}

/** A name as a step of a JSON pointer. */
export function step(name: string): string {
  return name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
}
