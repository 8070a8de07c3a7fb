import { createChallenge, verifySolution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import type { Payload } from 'altcha-lib/types';
import type { CaptchaSettings } from '../config/challenge-settings.ts';
import type { Clock } from '../kernel/clock.ts';
import type { ChallengePut } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { Secrets } from '../kernel/secrets.ts';
import { createCaptcha } from './captcha.ts';
import {
  ANSWERS_LOOKED_AT_PER_HOUR,
  CHALLENGE_LIFE_SECONDS,
  costOf,
  isHardEnough,
  KEY_PREFIX,
  levelFor,
} from './policy.ts';
import { readSolution } from './solution.ts';

export { CHALLENGE_LIFE_SECONDS };

/** What a request brings against a challenge. */
export interface ChallengeAnswer {
  /** As X-Challenge-Solution carries it. */
  solution: string;
  /** The token of the CAPTCHA, where one is set up. */
  captcha: string | undefined;
}

/** `unsure`: the CAPTCHA's provider was away, and the operator lets people on. `away`: and does not. */
export type Solved = 'solved' | 'unsolved' | 'unsure' | 'away';

/** Puzzles that cost a caller's machine some work, and a CAPTCHA where one is configured. */
export interface Challenges {
  /** A challenge for this caller. Nothing of it is stored: its signature tells that it is ours. */
  put(caller: string): Promise<ChallengePut>;
  /** Does this answer solve a challenge of this caller? Counts once, however often and on whatever server it is shown. */
  check(answer: ChallengeAnswer, caller: string): Promise<Solved>;
}

/** The counters of callers, as far as challenges need them. */
interface Counters {
  take(key: string, limit: number, windowSeconds: number): Promise<{ allowed: boolean }>;
  left(key: string, limit: number): Promise<number>;
}

export interface ChallengeOptions {
  secrets: Secrets;
  counters: Counters;
  clock: Clock;
  captcha: CaptchaSettings | undefined;
  fetch: typeof fetch;
  log: Log;
}

const HOUR = 3600;
/** Above what anybody solves in an hour. */
const COUNTED = 1_000_000;

export function createChallenges(options: ChallengeOptions): Challenges {
  const { secrets, counters, clock } = options;
  const askCaptcha = options.captcha && createCaptcha(options.captcha, options.fetch, options.log);
  const outcomes = new WeakMap<ChallengeAnswer, Promise<Solved>>();
  const seconds = (): number => Math.floor(clock.now().getTime() / 1000);
  const level = async (caller: string): Promise<number> =>
    levelFor(COUNTED - (await counters.left(`solved:${caller}`, COUNTED)));

  async function judge(answer: ChallengeAnswer, caller: string): Promise<Solved> {
    const read = readSolution(answer.solution);
    if (!read) return 'unsolved';
    const { payload, data } = read;
    const marks = secrets.macs('challenge', 'caller', caller).map(textOf);
    if (!marks.includes(data.caller) || data.expires <= seconds()) return 'unsolved';
    if (askCaptcha && answer.captcha === undefined) return 'unsolved';
    // Counted, then compared, then spent: nobody has us derive keys without end.
    const [counted, wanted] = await Promise.all([
      counters.take(`answers:${caller}`, ANSWERS_LOOKED_AT_PER_HOUR, HOUR),
      level(caller),
    ]);
    if (!counted.allowed || !isHardEnough(data.level, wanted)) return 'unsolved';
    if (!(await isRight(secrets, payload))) return 'unsolved';
    const { nonce } = payload.challenge.parameters;
    const spent = await counters.take(`solution:${nonce}`, 1, 2 * CHALLENGE_LIFE_SECONDS);
    if (!spent.allowed) return 'unsolved';
    await counters.take(`solved:${caller}`, COUNTED, HOUR);
    if (!askCaptcha || answer.captcha === undefined) return 'solved';
    const verdict = await askCaptcha(answer.captcha);
    if (verdict === 'person') return 'solved';
    if (verdict === 'no_person') return 'unsolved';
    return options.captcha?.whenAway === 'allow' ? 'unsure' : 'away';
  }

  return {
    async put(caller) {
      const wanted = await level(caller);
      const { parameters, signature } = await createChallenge({
        algorithm: 'PBKDF2/SHA-256',
        cost: costOf(wanted),
        keyPrefix: KEY_PREFIX,
        deriveKey,
        // The library would compare its own expiresAt with the machine's clock; this one is ours.
        data: {
          caller: textOf(secrets.mac('challenge', 'caller', caller)),
          expires: seconds() + CHALLENGE_LIFE_SECONDS,
          level: wanted,
        },
        hmacSignatureSecret: textOf(secrets.mac('challenge', 'signature')),
      });
      const { captcha } = options;
      return {
        challenge: { parameters: { ...parameters }, signature: signature ?? '' },
        ...(captcha ? { captcha: { provider: captcha.provider, site_key: captcha.siteKey } } : {}),
      };
    },
    check(answer, caller) {
      let outcome = outcomes.get(answer);
      if (!outcome) {
        outcome = judge(answer, caller);
        outcomes.set(answer, outcome);
      }
      return outcome;
    },
  };
}

/** Is the challenge signed by us, now or before a rotation, and does the key follow from the counter? */
async function isRight(secrets: Secrets, { challenge, solution }: Payload): Promise<boolean> {
  for (const secret of secrets.macs('challenge', 'signature').map(textOf)) {
    const result = await verifySolution({ challenge, solution, deriveKey, hmacSignatureSecret: secret });
    if (!result.invalidSignature) return result.verified;
  }
  return false;
}

function textOf(bytes: Buffer): string {
  return bytes.toString('base64url');
}
