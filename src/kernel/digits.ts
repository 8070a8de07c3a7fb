// Direction marks and zero-width characters come along when a number is copied from a contact list or a message.
const INVISIBLE = /[\u200B-\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g;
// Arabic-Indic, Persian and full-width digits; the last four bits of each are its value.
const OTHER_DIGITS = /[\u0660-\u0669\u06F0-\u06F9\uFF10-\uFF19]/g;

/** What somebody typed on a keyboard of another script, with its digits as 0 to 9 and without what cannot be seen. */
export function plainDigits(text: string): string {
  return text.replace(INVISIBLE, '').replace(OTHER_DIGITS, (digit) => String(digit.charCodeAt(0) & 0xf));
}
