// What a terminal acts on instead of showing it: C0, DEL and C1 controls, and marks that reorder or hide what follows.
const ACTED_ON =
  // oxlint-disable-next-line no-control-regex -- exactly what must not get through
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Words that somebody else wrote (a User-Agent, a name, a provider's answer), fit for an operator's terminal: in them
 * such a character shows as a question mark in a box, and does nothing.
 */
export function printable(text: string): string {
  return text.replace(ACTED_ON, '\ufffd');
}

/** JSON with the same characters as escapes, between the line ends of its layout: to programs it says the same. */
export function printableJson(text: string): string {
  return text.replace(ACTED_ON, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
