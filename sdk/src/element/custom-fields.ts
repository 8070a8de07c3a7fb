import type { Property } from './calls.ts';
import { make } from './dom.ts';
import { below, fieldOf, framed, idOf, labelTexts, saying, type Told } from './parts.ts';
import type { Draft } from './screens.ts';
import type { ElementWords } from './words.ts';

const PREFIX = 'custom_fields';
/** Longer texts get several lines. */
const ONE_LINE = 200;
const DEEPEST = 3;

interface Asked {
  words: ElementWords;
  language: string;
  /** What was typed before. */
  draft: Draft;
}

/** The fields that a tenant asks for besides, in the order of its schema, as the hosted pages ask for them. */
export function customFieldsForm(asked: Asked, schema: Property | null): Node[] {
  return schema ? objectForm(asked, schema, PREFIX, 0) : [];
}

function objectForm(asked: Asked, schema: Property, path: string, depth: number): Node[] {
  const required = Array.isArray(schema.required) ? (schema.required as unknown[]) : [];
  return propertiesOf(schema).flatMap(([key, property]): Node[] => {
    const name = `${path}.${key}`;
    const label = labelFor(asked.language, property, key);
    if (typeOf(property) === 'object') {
      if (depth + 1 >= DEEPEST) return [];
      const inner = objectForm(asked, property, name, depth + 1);
      return [make('fieldset', {}, make('legend', {}, label), ...inner)];
    }
    const hint = typeof property.description === 'string' ? property.description : undefined;
    const optional = required.includes(key) ? undefined : asked.words.optional;
    const field = oneField(asked, property, { name, label, hint, optional });
    return field ? [field] : [];
  });
}

function oneField({ words, draft }: Asked, property: Property, told: Told): HTMLElement | undefined {
  const { name } = told;
  const given = draft.get(name) ?? [];
  const value = given[0] ?? '';
  const type = typeOf(property);
  const choices = choicesOf(property);
  if (choices) {
    const options = choices.map((choice) =>
      make('option', { value: choice, selected: choice === value }, choice),
    );
    const none = make('option', { value: '' }, words.choose);
    return framed(told, make('select', { part: 'input', ...saying(told) }, none, ...options));
  }
  if (type === 'boolean') {
    const box = make('input', {
      type: 'checkbox',
      value: 'true',
      checked: value === 'true',
      ...saying(told),
    });
    const label = make(
      'label',
      { class: 'tick', for: idOf(name), part: 'label' },
      box,
      make('span', {}, told.label),
    );
    return make('div', { class: 'field', part: 'field' }, label, ...below(told));
  }
  if (type === 'array') return manyChoices(property, told, given);
  const longest = typeof property.maxLength === 'number' ? property.maxLength : undefined;
  if (type === 'string' && longest !== undefined && longest > ONE_LINE)
    return framed(told, make('textarea', { part: 'input', rows: 4, ...saying(told) }, value));
  const kind = INPUTS[type === 'string' ? String(property.format) : type];
  return fieldOf(told, { value, dir: undefined, autocapitalize: undefined, ...kind });
}

/** How a format is asked for. Numbers stay text fields: those of browsers lose what they cannot read. */
const INPUTS: Record<string, Record<string, string>> = {
  date: { type: 'date', dir: 'ltr' },
  email: { type: 'email', dir: 'ltr' },
  uri: { type: 'url', dir: 'ltr' },
  integer: { inputmode: 'numeric', dir: 'ltr' },
  number: { inputmode: 'decimal', dir: 'ltr' },
};

function manyChoices(property: Property, told: Told, given: readonly string[]): HTMLElement | undefined {
  const choices = choicesOf(property.items ?? {}) ?? [];
  if (choices.length === 0) return undefined;
  const { name } = told;
  const boxes = choices.map((choice) =>
    make(
      'label',
      { class: 'tick' },
      make('input', { type: 'checkbox', name, value: choice, checked: given.includes(choice) }),
      make('span', {}, choice),
    ),
  );
  const legend = make('legend', { part: 'label' }, ...labelTexts(told));
  const describedBy = saying(told)['aria-describedby'];
  return make(
    'fieldset',
    { class: 'field', part: 'field', 'aria-describedby': String(describedBy) },
    legend,
    ...boxes,
    ...below(told),
  );
}

/**
 * What was filled in, as the types of the schema have it. What cannot be read stays text, so that the server says what
 * is wrong with it; what was left empty is left out.
 */
export function readCustomFields(
  schema: Property | null,
  form: FormData,
): Record<string, unknown> | undefined {
  return schema ? readObject(schema, PREFIX, form, 0) : undefined;
}

function readObject(schema: Property, path: string, form: FormData, depth: number): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [key, property] of propertiesOf(schema)) {
    const value = readValue(property, `${path}.${key}`, form, depth);
    if (value !== undefined) found[key] = value;
  }
  return found;
}

function readValue(property: Property, name: string, form: FormData, depth: number): unknown {
  const given = form.getAll(name).filter((value) => typeof value === 'string');
  const text = given[0]?.trim() ?? '';
  switch (typeOf(property)) {
    case 'object': {
      const inner = depth + 1 < DEEPEST ? readObject(property, name, form, depth + 1) : {};
      return Object.keys(inner).length > 0 ? inner : undefined;
    }
    case 'array':
      return given.length > 0 ? given : undefined;
    case 'boolean':
      return text === 'true' ? true : undefined;
    case 'integer':
    case 'number': {
      const number = Number(text.replace(',', '.'));
      return text === '' ? undefined : Number.isFinite(number) ? number : text;
    }
    default: {
      if (text === '') return undefined;
      const choices = Array.isArray(property.enum) ? (property.enum as unknown[]) : [];
      return choices.find((each) => String(each) === text) ?? text;
    }
  }
}

/** As `order` lists them, then the required ones as `required` does; the database forgets how they were written. */
function propertiesOf({ properties, order, required }: Property & { order?: unknown }): [string, Property][] {
  if (typeof properties !== 'object' || properties === null) return [];
  const first = [order, required].flatMap((names): unknown[] => (Array.isArray(names) ? names : []));
  const rank = (name: string): number => (first.includes(name) ? first.indexOf(name) : first.length);
  return Object.entries(properties as Record<string, unknown>)
    .filter((entry): entry is [string, Property] => typeof entry[1] === 'object' && entry[1] !== null)
    .sort(([one], [other]) => rank(one) - rank(other));
}

function typeOf({ type, properties }: Property): string {
  if (Array.isArray(type)) return String(type.find((each) => each !== 'null') ?? 'string');
  if (typeof type === 'string') return type;
  return properties === undefined ? 'string' : 'object';
}

function choicesOf({ enum: choices }: Property): string[] | undefined {
  return Array.isArray(choices) ? choices.map(String) : undefined;
}

/** A schema may carry its titles in several languages: `"titles": { "ru": "Класс" }`. */
function labelFor(language: string, property: Property, key: string): string {
  const translated = (property.titles as Record<string, unknown> | undefined)?.[language];
  if (typeof translated === 'string') return translated;
  if (typeof property.title === 'string') return property.title;
  const words = key.replace(/[_-]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
