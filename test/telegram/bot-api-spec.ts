import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Described {
  fields?: { name: string; types: string[]; required: boolean }[];
  subtypes?: string[];
  returns?: string[];
}
interface Spec {
  methods: Record<string, Described>;
  types: Record<string, Described>;
}

/** Beside the repository, or beside the folder that its work trees stand in. */
const PATHS = ['../../..', '../../../..'].map((up) =>
  join(import.meta.dirname, up, 'shared/specs/telegram-bot-api.json'),
);

/** The description of the Bot API, where this machine has it; undefined elsewhere, and then nothing is compared with it. */
export function loadBotApiSpec(): Spec | undefined {
  const path = PATHS.find((candidate) => existsSync(candidate));
  return path === undefined ? undefined : (JSON.parse(readFileSync(path, 'utf8')) as Spec);
}

/** What is wrong with the parameters of a call. */
export function parameterProblems(spec: Spec, method: string, parameters: unknown): string[] {
  const described = spec.methods[method];
  return described ? fieldProblems(spec, described, parameters, method) : [`there is no method ${method}`];
}

/** What is wrong with what a method gave. */
export function resultProblems(spec: Spec, method: string, result: unknown): string[] {
  const { returns = [] } = spec.methods[method] ?? {};
  return alternatives(spec, returns, result, `${method} result`);
}

/** What is wrong with a value of this type, such as an Update. */
export function typeProblems(spec: Spec, type: string, value: unknown, path = type): string[] {
  const list = /^Array of (.+)$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) return [`${path} is no array`];
    return value.flatMap((item, index) => typeProblems(spec, list, item, `${path}[${index}]`));
  }
  switch (type) {
    case 'Integer':
      return Number.isSafeInteger(value) ? [] : [`${path} is no integer`];
    case 'Float':
      return typeof value === 'number' ? [] : [`${path} is no number`];
    case 'String':
    case 'InputFile':
      return typeof value === 'string' ? [] : [`${path} is no string`];
    case 'Boolean':
    case 'True':
      return typeof value === 'boolean' ? [] : [`${path} is no boolean`];
    default: {
      const described = spec.types[type];
      if (!described) return [`${path}: there is no type ${type}`];
      if (described.subtypes) return alternatives(spec, described.subtypes, value, path);
      return fieldProblems(spec, described, value, path);
    }
  }
}

function alternatives(spec: Spec, types: readonly string[], value: unknown, path: string): string[] {
  const problems = types.map((type) => typeProblems(spec, type, value, path));
  return problems.some((found) => found.length === 0) ? [] : (problems[0] ?? []);
}

function fieldProblems(spec: Spec, { fields = [] }: Described, value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} is no object`];
  const given = value as Record<string, unknown>;
  const known = new Set(fields.map(({ name }) => name));
  return [
    ...Object.keys(given)
      .filter((name) => !known.has(name))
      .map((name) => `${path}.${name} is not known`),
    ...fields
      .filter(({ name, required }) => required && given[name] === undefined)
      .map(({ name }) => `${path}.${name} is missing`),
    ...fields
      .filter(({ name }) => given[name] !== undefined)
      .flatMap(({ name, types }) => alternatives(spec, types, given[name], `${path}.${name}`)),
  ];
}
