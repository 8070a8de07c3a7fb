import { randomInt as cryptoRandomInt } from 'node:crypto';

const SHORTEST_CODE = 4;
const LONGEST_CODE = 10;

/**
 * A one-time code of `length` digits, 4 to 10, uniform over all of them, leading zeros kept: a string.
 * `randomInt(bound)` gives a whole number from 0 below the bound and must be uniform, as that of node:crypto
 * is: it draws again where a remainder would favour small numbers (OWASP ASVS 6.5.3, 6.5.4).
 * Throws RangeError on any other length.
 */
export function generateCode(length: number, randomInt: (bound: number) => number = cryptoRandomInt): string {
  if (!Number.isInteger(length) || length < SHORTEST_CODE || length > LONGEST_CODE) {
    throw new RangeError(`a code has ${SHORTEST_CODE} to ${LONGEST_CODE} digits`);
  }
  return String(randomInt(10 ** length)).padStart(length, '0');
}
