import type { Issue } from '../kernel/errors.ts';

interface SchemaError {
  instancePath: string;
  keyword: string;
  message: string;
  params: object;
}

/** What a schema found wrong, one sentence a field: the field at fault is named, not the object it is missing from. */
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
    add(error.instancePath || '/', error.message);
  }
  return [...issues.values()].slice(0, 20);
}
