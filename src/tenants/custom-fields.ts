import { Compile } from 'typebox/schema';
import type { Issue } from '../kernel/errors.ts';
import { sentenceOf } from '../web/schema-issues.ts';
import { type CustomFieldsSchema, step } from './custom-fields-schema.ts';
import { inTime } from './in-time.ts';

const MOST_FIELDS = 50;
const MOST_CHARACTERS = 8192;
/** A check may take so long. */
const PATIENCE_MILLISECONDS = [50];
/** Within a second after one of this schema's took longer; a second look, as the machine may have stood still. */
const LITTLE_PATIENCE_MILLISECONDS = [5, 10];
/** What a schema's checks that took too long may cost in a second: beyond it none is begun until the second is over. */
const MOST_LOST_MILLISECONDS = 100;

interface SchemaError {
  instancePath: string;
  keyword: string;
  message: string;
  params: object;
}
interface Checker {
  Check(value: unknown): boolean;
  Errors(value: unknown): [boolean, SchemaError[]];
}
interface Compiled {
  checker: Checker;
  /** Does it hold regular expressions, which may need years for thirty signs? */
  hasPatterns: boolean;
  /** The time that went into checks without a result, and since when. */
  lost: { since: number; milliseconds: number };
}

/** Compiled once for each settings object; a changed tenant brings a new one. */
const compiled = new WeakMap<CustomFieldsSchema, Compiled>();

/** Unknown fields are refused unless the schema says otherwise: nobody's extra field is stored by accident. */
function compiledOf(schema: CustomFieldsSchema): Compiled {
  let found = compiled.get(schema);
  if (!found) {
    found = {
      checker: Compile({ additionalProperties: false, ...schema }) as unknown as Checker,
      hasPatterns: /"pattern(Properties)?":/.test(JSON.stringify(schema)),
      lost: { since: Number.NEGATIVE_INFINITY, milliseconds: 0 },
    };
    compiled.set(schema, found);
  }
  return found;
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
  const errors = errorsOf(compiledOf(schema), fields);
  if (errors === undefined) return [{ path, message: 'takes too long to check: give shorter texts' }];
  return errors === null ? [] : explain(errors, path);
}

/** What the schema says: null where nothing is wrong, undefined where that was not found out in time. */
function errorsOf(schema: Compiled, fields: Record<string, unknown>): SchemaError[] | null | undefined {
  const { checker, hasPatterns, lost } = schema;
  const check = (): SchemaError[] | null => (checker.Check(fields) ? null : checker.Errors(fields)[1]);
  const now = performance.now();
  // One text of a stranger must hold up nobody else, and many of them not much more.
  if (now - lost.since >= 1000) Object.assign(lost, { since: now, milliseconds: 0 });
  if (lost.milliseconds >= MOST_LOST_MILLISECONDS) return undefined;
  for (const milliseconds of lost.milliseconds > 0 ? LITTLE_PATIENCE_MILLISECONDS : PATIENCE_MILLISECONDS) {
    try {
      return hasPatterns ? inTime(milliseconds, check) : check();
    } catch {
      // Its time was over, or a reference goes round in circles.
      lost.milliseconds += milliseconds;
    }
  }
  return undefined;
}

function explain(errors: readonly SchemaError[], path: string): Issue[] {
  const issues = new Map<string, Issue>();
  const add = (at: string, message: string): void => {
    if (!issues.has(at)) issues.set(at, { path: at, message });
  };
  for (const error of errors) {
    const params = error.params as { requiredProperties?: string[]; additionalProperties?: string[] };
    const at = path + error.instancePath;
    for (const name of params.requiredProperties ?? []) add(`${at}/${step(name)}`, 'is required');
    for (const name of params.additionalProperties ?? []) add(`${at}/${step(name)}`, 'is not a known field');
    // What follows from another line: an object of which a field is missing, a field refused because unknown.
    if (['required', 'additionalProperties', 'boolean', 'if'].includes(error.keyword)) continue;
    add(at, sentenceOf(error));
  }
  if (issues.size === 0) add(path, 'does not fit');
  return [...issues.values()].slice(0, 20);
}
