/** What a tenant asks of a password. Lengths are code points after NFC. */
export interface PasswordRules {
  minLength: number;
  /** 0 to 4: how hard it must be to guess by the estimate of zxcvbn. */
  minScore: number;
}

/** NIST SP 800-63B-4 asks for at least 64; nobody types more than this. */
export const LONGEST_PASSWORD = 256;
/** Past this length guessing is hopeless whatever the estimate says, and estimating would cost more than it tells. */
export const LONGEST_SCORED = 40;

const SHORTEST_OWN_WORD = 3;
/** What must be left of a password once the person's own words are taken out of it. */
const LEAST_REMAINDER = 4;

/**
 * The one form in which a password is hashed and compared: NFC, so that it is the same from every keyboard
 * (NIST SP 800-63B-4, 3.1.1.2). Nothing is trimmed, folded or cut.
 */
export function normalisePassword(password: string): string {
  return password.normalize('NFC');
}

/** Length as a person counts it: code points, not UTF-16 units. */
export function passwordLength(password: string): number {
  return Array.from(password).length;
}

/** Words that somebody who knows the person would try first, in lower case: names, address, service. */
export function ownWords(about: readonly (string | null | undefined)[]): string[] {
  const words = about.flatMap((text) => {
    const lowered = (text ?? '').toLowerCase();
    return [lowered, ...lowered.split(/[^\p{L}\p{N}]+/u)];
  });
  return [...new Set(words)]
    .filter((word) => passwordLength(word) >= SHORTEST_OWN_WORD)
    .sort((left, right) => right.length - left.length);
}

/** Is this password little more than the person's own words, forwards, with digits and signs around them? */
export function isOwnWord(password: string, words: readonly string[]): boolean {
  const lowered = password.toLowerCase();
  let rest = lowered;
  for (const word of words) rest = rest.replaceAll(word, '');
  return rest !== lowered && passwordLength(rest.replace(/[^\p{L}]+/gu, '')) < LEAST_REMAINDER;
}
