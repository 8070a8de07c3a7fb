import type { GatewayRequest, JsonTemplate } from '../../config/gateway.ts';
import type { Slot, Template } from '../../config/gateway-template.ts';
import { oneLine } from '../templates/display-text.ts';
import type { HttpCall } from './http-caller.ts';

export type SlotValues = Readonly<Record<Slot, string>>;

/**
 * Fills a request in. Every value is escaped for where it stands: a tenant called `", "to": "+1` or one with a line
 * break stays a name.
 */
export function fillRequest(request: GatewayRequest, values: SlotValues): HttpCall {
  const url = new URL(fill(request.url, values, encodeURIComponent));
  for (const [name, value] of fillPairs(request.query, values)) url.searchParams.append(name, value);
  const headers: Record<string, string> = {};
  // A header ends at a line break, whatever it was meant to say.
  for (const [name, value] of request.headers) headers[name.toLowerCase()] = oneLine(fill(value, values));
  const { body, method } = request;
  if (body === undefined) return { method, url: url.href, headers };
  if ('form' in body) {
    const form = new URLSearchParams(fillPairs(body.form, values));
    headers['content-type'] ??= 'application/x-www-form-urlencoded';
    return { method, url: url.href, headers, body: form.toString() };
  }
  headers['content-type'] ??= 'application/json';
  return { method, url: url.href, headers, body: JSON.stringify(fillJson(body.json, values)) };
}

function fill(template: Template, values: SlotValues, escape = (value: string): string => value): string {
  const valueOf = ({ slot, words }: Exclude<Template[number], string>): string =>
    words ? words[values[slot] === 'UCS-2' ? 1 : 0] : values[slot];
  return template.map((part) => (typeof part === 'string' ? part : escape(valueOf(part)))).join('');
}

/** What has no value is left out: a gateway would take an empty callback for a wrong one. */
function fillPairs(pairs: readonly (readonly [string, Template])[], values: SlotValues): [string, string][] {
  return pairs.flatMap(([name, template]) => {
    const value = fill(template, values);
    return value === '' ? [] : [[name, value]];
  });
}

function fillJson(template: JsonTemplate, values: SlotValues): unknown {
  if ('template' in template) return fill(template.template, values);
  if ('list' in template) return template.list.map((item) => fillJson(item, values));
  if ('value' in template) return template.value;
  const fields = template.fields.map(([name, item]) => [name, fillJson(item, values)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== ''));
}
