// Direction marks and zero-width characters come along when something is copied from a message or a contact list.
const INVISIBLE = /[\u200B-\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g;
const OTHER_DIGITS = /[\u0660-\u0669\u06F0-\u06F9\uFF10-\uFF19]/g;

/** A text without invisible characters, its Arabic-Indic, Persian and full-width digits as those of ASCII. */
export function plainDigits(text: string): string {
  return text.replace(INVISIBLE, '').replace(OTHER_DIGITS, (digit) => String(digit.charCodeAt(0) & 0xf));
}
