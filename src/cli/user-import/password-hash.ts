/** The most that a foreign hash may cost: an import must not be a way to exhaust the server. */
const MOST_BCRYPT_COST = 14;
const MOST_ARGON2_MEMORY_KIB = 262_144;
const MOST_ARGON2_PASSES = 16;
const MOST_SCRYPT_LOG_N = 17;
const MOST_LANES = 16;

const BASE64 = '[A-Za-z0-9+/]';
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const ARGON2 = new RegExp(
  `^\\$argon2(?:id|i|d)\\$v=19\\$m=(\\d{1,7}),t=(\\d{1,3}),p=(\\d{1,3})\\$${BASE64}{11,128}\\$${BASE64}{16,172}$`,
);
const SCRYPT = new RegExp(
  `^\\$scrypt\\$ln=(\\d{1,2}),r=(\\d{1,2}),p=(\\d{1,2})\\$${BASE64}{8,128}\\$${BASE64}{22,172}$`,
);

/**
 * Is this a hash that sign-in can check, at a bearable cost? bcrypt as $2a$, $2b$ or $2y$; argon2 and scrypt as PHC
 * strings: `$argon2id$v=19$m=…,t=…,p=…$salt$key`, `$scrypt$ln=…,r=…,p=…$salt$key`, base64 without padding.
 */
export function isUsableHash(hash: string): boolean {
  const bcrypt = BCRYPT.exec(hash);
  if (bcrypt) return within(bcrypt, [[4, MOST_BCRYPT_COST]]);
  const argon2 = ARGON2.exec(hash);
  if (argon2)
    return within(argon2, [
      [8, MOST_ARGON2_MEMORY_KIB],
      [1, MOST_ARGON2_PASSES],
      [1, MOST_LANES],
    ]);
  const scrypt = SCRYPT.exec(hash);
  if (scrypt)
    return within(scrypt, [
      [1, MOST_SCRYPT_LOG_N],
      [1, 16],
      [1, MOST_LANES],
    ]);
  return false;
}

function within(match: RegExpExecArray, ranges: readonly (readonly [number, number])[]): boolean {
  return ranges.every(([least, most], index) => {
    const value = Number(match[index + 1]);
    return value >= least && value <= most;
  });
}
