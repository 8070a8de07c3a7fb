/** What `{{…}}` stands for in one message. */
export type Values = Readonly<Record<string, string>>;

/** Puts values in the place of `{{name}}`. A value is never read again: one that holds `{{code}}` stays text. */
export function substitute(text: string, values: Values): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_whole, name: string) => values[name] ?? '');
}

// At the beginning of a line it takes what follows with it, elsewhere what stands before.
const NAME_FIRST = /(^|\n)\{\{name\}\}[\s,،፣]*/g;
const NAME = /[\s,،፣]*\{\{name\}\}/g;

/** Somebody's own words to a person whose name is not known: "Welcome, {{name}}." becomes "Welcome." */
export function withoutName(text: string): string {
  return text.replace(NAME_FIRST, '$1').replace(NAME, '');
}

/**
 * The same for HTML: text and values are escaped, and each value stands apart in its own writing direction, so that
 * a Latin name does not turn a Persian sentence round.
 */
export function substituteHtml(text: string, values: Values): string {
  return escapeHtml(text).replace(
    /\{\{(\w+)\}\}/g,
    (_whole, name: string) => `<bdi>${escapeHtml(values[name] ?? '')}</bdi>`,
  );
}

/** Text as it may stand between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
