import type { Issue } from '../kernel/errors.ts';

interface SchemaError {
  instancePath: string;
  keyword: string;
  message: string;
  params: object;
}

/** What to say of a text that a pattern of ours does not fit. */
const sentences = new Map<string, string>();

/** The pattern of a text, and what to say where it does not fit: nobody should have to read a regular expression. */
export function textOf(pattern: string, sentence: string): { pattern: string } {
  const known = sentences.get(pattern) ?? sentence;
  if (known !== sentence) throw new Error(`"${pattern}" means two things: "${known}" and "${sentence}"`);
  sentences.set(pattern, sentence);
  return { pattern };
}

const MOST_VALUES = 30;

/** What one error says of its field, in a schema of whomever. */
export function sentenceOf({ keyword, message, params }: SchemaError): string {
  const { allowedValue, allowedValues } = params as {
    allowedValue?: unknown;
    allowedValues?: unknown[];
  };
  if (keyword === 'const') return `must be ${String(allowedValue)}`;
  if (keyword === 'enum' && allowedValues && allowedValues.length <= MOST_VALUES) {
    return `must be one of ${allowedValues.join(', ')}`;
  }
  return message;
}

/** What a schema of ours found wrong, one sentence a field: the field at fault is named, not the object it is missing from. */
export function schemaIssues(errors: readonly SchemaError[]): Issue[] {
  const issues = new Map<string, Issue>();
  const add = (path: string, message: string): void => {
    if (!issues.has(path)) issues.set(path, { path, message });
  };
  for (const error of errors) {
    const params = error.params as { requiredProperties?: string[]; additionalProperties?: string[] };
    for (const name of params.requiredProperties ?? []) add(`${error.instancePath}/${name}`, 'is required');
    for (const name of params.additionalProperties ?? []) {
      add(`${error.instancePath}/${name.slice(0, 64)}`, 'is not a field of this request');
    }
    if (
      error.keyword === 'required' ||
      error.keyword === 'additionalProperties' ||
      error.keyword === 'boolean'
    )
      continue;
    const { pattern } = error.params as { pattern?: string };
    const ofPattern = error.keyword === 'pattern' ? sentences.get(pattern ?? '') : undefined;
    add(error.instancePath || '/', ofPattern ?? sentenceOf(error));
  }
  return [...issues.values()].slice(0, 20);
}
