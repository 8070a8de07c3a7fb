import vm from 'node:vm';
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

/** A whole form is checked in far less. */
const CHECK_MILLISECONDS = 50;
/** For so long a schema that took longer is not tried again: what it costs, others wait for. */
const REST_MILLISECONDS = 10_000;

const running = vm.createContext({ check: undefined as unknown });
const run = new vm.Script('check()');
/** Schemas that ran away, and until when they rest. */
const resting = new WeakMap<CustomFieldsSchema, number>();

/**
 * A pattern of a tenant's schema may take minutes for thirty characters, and a stranger finds them before any budget is
 * asked (CWE-1333): the check of one tenant must not stop the server for all. Only patterns can take long.
 */
function inTime<T>(schema: CustomFieldsSchema, check: () => T): T | 'too_long' {
  if (!hasPattern(schema)) return check();
  if ((resting.get(schema) ?? 0) > performance.now()) return 'too_long';
  running['check'] = check;
  try {
    return run.runInContext(running, { timeout: CHECK_MILLISECONDS }) as T;
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw fault;
    resting.set(schema, performance.now() + REST_MILLISECONDS);
    return 'too_long';
  }
}

const patterned = new WeakMap<CustomFieldsSchema, boolean>();

function hasPattern(schema: CustomFieldsSchema): boolean {
  let has = patterned.get(schema);
  if (has === undefined) {
    has = /"(?:pattern|patternProperties|format)":/.test(JSON.stringify(schema));
    patterned.set(schema, has);
  }
  return has;
}

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
  const errors = inTime(schema, () => {
    const checker = checkerOf(schema);
    return checker.Check(fields) ? [] : checker.Errors(fields)[1];
  });
  if (errors === 'too_long') return [{ path, message: 'takes too long to check: its patterns run away' }];
  if (errors.length === 0) return [];
  const issues = new Map<string, Issue>();
  const add = (at: string, message: string): void => {
    if (!issues.has(at)) issues.set(at, { path: at, message });
  };
  for (const error of errors) {
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
