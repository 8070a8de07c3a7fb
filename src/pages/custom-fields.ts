import type { CustomFieldsSchema } from '../tenants/tenants.ts';
import { html, type Html } from '../web/html.ts';
import { below, describedBy, fieldOf, idOf, labelOf } from './components.ts';
import { type Fields, textOf } from './context.ts';
import type { Problem } from './problems.ts';
import type { Visit } from './visit.ts';

/** The part of a JSON Schema that says how a value is asked for. */
interface Property {
  type?: unknown;
  title?: unknown;
  description?: unknown;
  enum?: unknown;
  const?: unknown;
  format?: unknown;
  maxLength?: unknown;
  properties?: unknown;
  required?: unknown;
  items?: unknown;
}

const PREFIX = 'custom_fields';
/** Longer texts get several lines. */
const ONE_LINE = 200;
const DEEPEST = 3;

/** The fields that a tenant asks for besides, in the order of its schema. @param values what is filled in already */
export function customFieldsForm(
  visit: Visit,
  schema: CustomFieldsSchema | undefined,
  values: Fields,
  problem: Problem | undefined,
): Html {
  return schema ? objectForm(visit, schema, PREFIX, values, problem, 0) : html``;
}

function objectForm(
  visit: Visit,
  schema: Property,
  path: string,
  values: Fields,
  problem: Problem | undefined,
  depth: number,
): Html {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const fields = propertiesOf(schema).map(([name, property]) => {
    const isRequired = required.includes(name);
    const at = `${path}.${name}`;
    if (typeOf(property) !== 'object')
      return oneField(visit, property, at, name, values, problem, isRequired);
    if (depth + 1 >= DEEPEST) return null;
    const inner = objectForm(visit, property, at, values, problem, depth + 1);
    return html`<fieldset class="stack"><legend>${labelFor(visit, property, name)}</legend>${inner}</fieldset>`;
  });
  return html`${fields}`;
}

function oneField(
  visit: Visit,
  property: Property,
  name: string,
  key: string,
  values: Fields,
  problem: Problem | undefined,
  required: boolean,
): Html {
  const label = labelFor(visit, property, key);
  const hint = typeof property.description === 'string' ? property.description : null;
  const value = textOf(values, name);
  const id = idOf(name);
  const wrong = problem?.fields[name];
  const type = typeOf(property);
  const choices = choicesOf(property);
  if (choices) {
    const options = choices.map(
      (choice) => html`<option value="${choice}"${choice === value && html` selected`}>${choice}</option>`,
    );
    return html`<div class="field">${labelOf(visit, id, label, !required)}<select id="${id}" name="${name}"${describedBy(id, hint, wrong)}><option value="">${visit.words.choose}</option>${options}</select>${below(id, hint, wrong)}</div>`;
  }
  if (type === 'boolean') {
    return html`<div class="field"><label class="tick"><input type="checkbox" id="${id}" name="${name}" value="true"${value === 'true' && html` checked`}${describedBy(id, hint, wrong)}><span>${label}</span></label>${below(id, hint, wrong)}</div>`;
  }
  if (type === 'array') return manyChoices(visit, property, name, label, hint, values, wrong, required);
  const longest = typeof property.maxLength === 'number' ? property.maxLength : undefined;
  if (type === 'string' && longest !== undefined && longest > ONE_LINE) {
    return html`<div class="field">${labelOf(visit, id, label, !required)}<textarea id="${id}" name="${name}" rows="4"${describedBy(id, hint, wrong)}>${value}</textarea>${below(id, hint, wrong)}</div>`;
  }
  const kind = INPUTS[type === 'string' ? String(property.format) : type];
  return fieldOf(visit, {
    name,
    label,
    value,
    hint,
    problem,
    required,
    optional: !required,
    ...kind,
  });
}

/** How a format is asked for. Numbers stay text fields: those of browsers lose what they cannot read. */
const INPUTS: Record<string, { type?: string; inputMode?: string; leftToRight?: boolean }> = {
  date: { type: 'date', leftToRight: true },
  email: { type: 'email', inputMode: 'email', leftToRight: true },
  uri: { type: 'url', inputMode: 'url', leftToRight: true },
  integer: { inputMode: 'numeric', leftToRight: true },
  number: { inputMode: 'decimal', leftToRight: true },
};

function manyChoices(
  visit: Visit,
  property: Property,
  name: string,
  label: string,
  hint: string | null,
  values: Fields,
  wrong: string | undefined,
  required: boolean,
): Html {
  const given = listOf(values[name]);
  const id = idOf(name);
  const boxes = (choicesOf((property.items ?? {}) as Property) ?? []).map(
    (choice) =>
      html`<label class="tick"><input type="checkbox" name="${name}" value="${choice}"${given.includes(choice) && html` checked`}><span>${choice}</span></label>`,
  );
  if (boxes.length === 0) return html``;
  return html`<fieldset class="field" id="${id}"${describedBy(id, hint, undefined)}><legend>${label}${!required && html` <span class="optional">(${visit.words.optional})</span>`}</legend>${boxes}${below(id, hint, wrong)}</fieldset>`;
}

/**
 * What was filled in, as the types of the schema have it. What cannot be read stays text, so that the schema says
 * what is wrong with it; what was left empty is left out.
 */
export function readCustomFields(
  schema: CustomFieldsSchema | undefined,
  form: Fields,
): Record<string, unknown> | undefined {
  return schema && readObject(schema, PREFIX, form, 0);
}

function readObject(schema: Property, path: string, form: Fields, depth: number): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, property] of propertiesOf(schema)) {
    const value = readValue(property, `${path}.${name}`, form, depth);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function readValue(property: Property, name: string, form: Fields, depth: number): unknown {
  const text = textOf(form, name).trim();
  switch (typeOf(property)) {
    case 'object': {
      const inner = depth + 1 < DEEPEST ? readObject(property, name, form, depth + 1) : {};
      return Object.keys(inner).length > 0 ? inner : undefined;
    }
    case 'array': {
      const given = listOf(form[name]).slice(0, 50);
      return given.length > 0 ? given : undefined;
    }
    case 'boolean':
      return text === 'true' ? true : undefined;
    case 'integer':
    case 'number': {
      if (text === '') return undefined;
      const number = Number(text.replace(',', '.'));
      return Number.isFinite(number) ? number : text;
    }
    default: {
      if (text === '') return undefined;
      const choice = Array.isArray(property.enum) && property.enum.find((each) => String(each) === text);
      return choice === false || choice === undefined ? text : choice;
    }
  }
}

/** Values that are kept already, as a form has them. */
export function customFieldValues(kept: Record<string, unknown>, path = PREFIX): Fields {
  return Object.fromEntries(
    Object.entries(kept).flatMap(([name, value]): [string, string | string[]][] => {
      const at = `${path}.${name}`;
      if (Array.isArray(value)) return [[at, value.map(String)]];
      if (typeof value === 'object' && value !== null) {
        return Object.entries(customFieldValues(value as Record<string, unknown>, at)) as [string, string][];
      }
      return [[at, String(value)]];
    }),
  );
}

/** As `order` lists them, then the required ones as `required` does; the database forgets how they were written. */
function propertiesOf(schema: Property & { order?: unknown }): [string, Property][] {
  const { properties, order, required } = schema;
  if (typeof properties !== 'object' || properties === null) return [];
  const first = [order, required].flatMap((names): unknown[] => (Array.isArray(names) ? names : []));
  const rank = (name: string): number => (first.includes(name) ? first.indexOf(name) : first.length);
  return Object.entries(properties)
    .filter((entry): entry is [string, Property] => typeof entry[1] === 'object' && entry[1] !== null)
    .sort(([one], [other]) => rank(one) - rank(other));
}

function typeOf({ type, properties }: Property): string {
  if (Array.isArray(type)) return String(type.find((each) => each !== 'null') ?? 'string');
  if (typeof type === 'string') return type;
  return properties === undefined ? 'string' : 'object';
}

function choicesOf(property: Property): string[] | undefined {
  return Array.isArray(property.enum) ? property.enum.map(String) : undefined;
}

/** A schema may carry its titles in several languages: `"titles": { "ru": "Класс" }`. */
function labelFor({ locale }: Visit, property: Property & { titles?: unknown }, key: string): string {
  const translated = (property.titles as Record<string, unknown> | undefined)?.[locale];
  if (typeof translated === 'string') return translated;
  if (typeof property.title === 'string') return property.title;
  const words = key.replace(/[_-]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function listOf(value: Fields[string]): readonly string[] {
  if (value === undefined || value === '') return [];
  return typeof value === 'string' ? [value] : value;
}
