import { Compile } from 'typebox/schema';
import type { Issue } from '../kernel/errors.ts';

/** A JSON Schema (draft 2020-12) of type object: what a tenant wants to know of its people. */
export type CustomFieldsSchema = Record<string, unknown>;

const MOST_FIELDS = 50;
const MOST_CHARACTERS = 8192;

interface SchemaError {
  instancePath: string;
  keyword: string;
  message: string;
  params: unknown;
}
interface Checker {
  Check(value: unknown): boolean;
  Errors(value: unknown): [boolean, SchemaError[]];
}

/** Compiled once for each settings object; a changed tenant brings a new one. */
const compiled = new WeakMap<CustomFieldsSchema, Checker>();

/** Unknown fields are refused unless the schema says otherwise: nobody's extra field is stored by accident. */
function checkerOf(schema: CustomFieldsSchema): Checker {
  let checker = compiled.get(schema);
  if (!checker) {
    checker = Compile({ additionalProperties: false, ...schema }) as unknown as Checker;
    compiled.set(schema, checker);
  }
  return checker;
}

/** What makes a schema unusable as one of custom fields, or undefined. */
export function customFieldsSchemaProblem(schema: CustomFieldsSchema): string | undefined {
  if (schema['type'] !== 'object') return 'must be a JSON Schema of type object';
  try {
    checkerOf(schema).Check({});
    return undefined;
  } catch {
    return 'is not a JSON Schema that can be used';
  }
}

/**
 * What is wrong with these custom fields: one sentence a field. Without a schema any field is kept, within bounds.
 * @param path where the fields stand in the request, as a JSON pointer
 */
export function customFieldIssues(
  schema: CustomFieldsSchema | undefined,
  fields: Record<string, unknown>,
  path: string,
): Issue[] {
  if (Object.keys(fields).length > MOST_FIELDS)
    return [{ path, message: `may hold ${MOST_FIELDS} fields at most` }];
  if (JSON.stringify(fields).length > MOST_CHARACTERS) {
    return [{ path, message: `may hold ${MOST_CHARACTERS} characters at most` }];
  }
  if (!schema) return [];
  const checker = checkerOf(schema);
  if (checker.Check(fields)) return [];
  const issues = new Map<string, Issue>();
  const add = (at: string, message: string): void => {
    if (!issues.has(at)) issues.set(at, { path: at, message });
  };
  for (const error of checker.Errors(fields)[1]) {
    const params = error.params as { requiredProperties?: string[]; additionalProperties?: string[] };
    const at = path + error.instancePath;
    for (const name of params.requiredProperties ?? []) add(`${at}/${pointerStep(name)}`, 'is required');
    for (const name of params.additionalProperties ?? [])
      add(`${at}/${pointerStep(name)}`, 'is not a known field');
    // What follows from another line: an object of which a field is missing, a field refused because unknown.
    if (['required', 'additionalProperties', 'boolean', 'if'].includes(error.keyword)) continue;
    add(at, error.message);
  }
  if (issues.size === 0) add(path, 'does not fit');
  return [...issues.values()].slice(0, 20);
}

function pointerStep(name: string): string {
  return name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
}
