/** Seconds a challenge may be answered: time for a slow phone, and for somebody who reads a CAPTCHA. */
export const CHALLENGE_LIFE_SECONDS = 300;
/** Answers of one caller that are looked at in an hour: each costs us the derivation of a key. */
export const ANSWERS_LOOKED_AT_PER_HOUR = 120;

/** Keys whose first byte is this are looked for: 256 tries on average. */
export const KEY_PREFIX = '00';
const FIRST_COST = 2000;
const SOLVED_PER_LEVEL = 3;
const HIGHEST_LEVEL = 4;

/** How hard the next challenge of a caller is: one level more for each three that it has solved within the hour. */
export function levelFor(solvedThisHour: number): number {
  return Math.min(HIGHEST_LEVEL, Math.floor(solvedThisHour / SOLVED_PER_LEVEL));
}

/** Rounds of PBKDF2 a try costs: 2,000 to 32,000. A level doubles the work. */
export function costOf(level: number): number {
  return FIRST_COST * 2 ** level;
}

/**
 * Is a challenge still as hard as its caller has to be asked by now? One level is let pass, for who asked a moment ago
 * beside a neighbour; challenges that were hoarded while they were easy are not.
 */
export function isHardEnough(level: number, wanted: number): boolean {
  return level >= wanted - 1;
}
