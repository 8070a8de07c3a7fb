import type { Place } from '../../config/gateway.ts';

/** An answer or a report as a gateway sends it: its text, and its JSON where it is some. */
export interface Readable {
  text: string;
  json: unknown;
}

export function readable(text: string): Readable {
  try {
    return { text, json: JSON.parse(text) };
  } catch {
    return { text, json: undefined };
  }
}

/** What stands at a JSON pointer (RFC 6901); undefined where nothing does. */
export function atPointer(json: unknown, pointer: string): unknown {
  let value = json;
  for (const token of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** Longer than any id or code of a gateway. */
const LONGEST_WORD = 200;

/** A short word or number as text; undefined for everything else. */
export function wordOf(value: unknown, longest = LONGEST_WORD): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' && value.length <= longest ? value : undefined;
}

/** The word at a place: by pointer, or the first group of a pattern, or all that it matched. */
export function wordAt(place: Place, { text, json }: Readable, longest?: number): string | undefined {
  if ('pointer' in place) return wordOf(atPointer(json, place.pointer), longest);
  const match = place.pattern.exec(text);
  return match ? wordOf(match[1] ?? match[0], longest) : undefined;
}
