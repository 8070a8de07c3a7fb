import { html, type Html } from '../../web/html.ts';
import { type OpenApi, resolve, type Schema } from './openapi.ts';

const DEEPEST = 4;

/** The fields of an object, each with its type, its bounds and what it means; objects within it below it. */
export function fieldsOf(document: OpenApi, schema: Schema, depth = 0): Html | null {
  const whole = resolve(document, schema);
  if (whole.anyOf && depth < DEEPEST) {
    const objects = whole.anyOf.map((each) => resolve(document, each)).filter((each) => each.properties);
    if (objects.length > 1) {
      return html`${objects.map((each, index) => html`${index > 0 && html`<p class="or">or</p>`}${fieldsOf(document, each, depth)}`)}`;
    }
    return objects[0] ? fieldsOf(document, objects[0], depth) : null;
  }
  if (whole.type === 'array' && whole.items) return fieldsOf(document, whole.items, depth);
  const fields = Object.entries(whole.properties ?? {});
  if (fields.length === 0 || depth >= DEEPEST) return null;
  return html`<dl class="fields">${fields.map(([name, given]) => {
    const field = resolve(document, given);
    return html`<div><dt><code>${name}</code><span class="type">${typeOf(document, field)}</span>${whole.required?.includes(name) && html`<span class="must">required</span>`}</dt>
<dd>${worded(field.description)}${fieldsOf(document, field, depth + 1)}</dd></div>`;
  })}</dl>`;
}

/** The type in words: string or null, up to 40 characters. */
export function typeOf(document: OpenApi, schema: Schema): string {
  const whole = resolve(document, schema);
  if (whole.enum) return whole.enum.map((value) => JSON.stringify(value)).join(' or ');
  if (whole.const !== undefined) return JSON.stringify(whole.const);
  if (whole.anyOf) {
    return [...new Set(whole.anyOf.map((each) => typeOf(document, each)))].join(' or ');
  }
  if (whole.type === 'array') return `list of ${whole.items ? typeOf(document, whole.items) : 'anything'}`;
  const type = [whole.type ?? 'anything'].flat().join(' or ');
  if (whole.format !== undefined) return `${type}, ${whole.format}`;
  return [type, boundsOf(whole)].filter((part) => part !== '').join(', ');
}

function boundsOf({ minLength, maxLength, minimum, maximum }: Schema): string {
  if (maxLength !== undefined)
    return minLength === undefined
      ? `up to ${maxLength} characters`
      : `${minLength} to ${maxLength} characters`;
  if (minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) {
    return `${minimum} to ${maximum}`;
  }
  return minimum === undefined ? '' : `at least ${minimum}`;
}

/** A sentence of the document, its `names` as code. */
export function worded(text = ''): Html {
  return html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}
