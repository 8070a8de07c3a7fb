// C0, DEL and C1 controls, line separators, and marks that reorder or hide what stands beside them.
const UNSEEN =
  // oxlint-disable-next-line no-control-regex -- exactly what must not get through
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g;
// What a mail program would turn into a link: an address, a scheme, a domain.
const LINK = /:\/\/|@|www\.|[\p{L}\p{N}-]\.\p{L}{2,}/iu;

/**
 * Words that somebody typed, fit to stand in a message to somebody else: one line, no hidden marks. Null when nothing
 * is left, when they are long, or when they look like a link: a stranger signs up with the victim's address and the
 * name "You won, see evil.example", and we would deliver it.
 */
export function displayText(text: string | null | undefined, longest = 60): string | null {
  const shown = oneLine(text ?? '');
  return shown === '' || shown.length > longest || LINK.test(shown) ? null : shown;
}

/** Text on one line, without control characters: what may stand in a header. */
export function oneLine(text: string): string {
  return text.replace(UNSEEN, ' ').replace(/\s+/gu, ' ').trim();
}

/** At most so many characters, cut where none is halved. For texts that must fit into one SMS. */
export function shorten(text: string, longest: number): string {
  return text.length <= longest
    ? text
    : text
        .slice(0, longest)
        .toWellFormed()
        .replace(/\ufffd$/, '')
        .trim();
}
