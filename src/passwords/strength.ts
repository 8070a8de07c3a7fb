import type { Issue } from '../kernel/errors.ts';
import {
  isOwnWord,
  LONGEST_PASSWORD,
  LONGEST_SCORED,
  ownWords,
  passwordLength,
  type PasswordRules,
} from './policy.ts';

interface Judge {
  isCommon(password: string): boolean;
  score(password: string, words: string[]): number;
}

/**
 * Of the words that a text with digits and signs for letters may stand for, so many are looked up. The library's own
 * hundred take 20 ms of the one thread for forty signs, and anybody may have passwords judged.
 */
const MOST_SUBSTITUTIONS = 10;

let judge: Promise<Judge> | undefined;

/** The list of some 49,000 common passwords and the estimator cost 15 MB and 150 ms: loaded at the first need. */
async function loadJudge(): Promise<Judge> {
  const [core, common] = await Promise.all([import('@zxcvbn-ts/core'), import('@zxcvbn-ts/language-common')]);
  const list = common.dictionary['passwords-common'];
  const passwords = new Set(Array.isArray(list) ? list.map((word) => String(word).toLowerCase()) : []);
  const estimator = new core.ZxcvbnFactory({
    dictionary: common.dictionary,
    graphs: common.adjacencyGraphs,
    l33tMaxSubstitutions: MOST_SUBSTITUTIONS,
  });
  return {
    isCommon: (password) => passwords.has(password.toLowerCase()),
    score: (password, words) => estimator.check(password, words).score,
  };
}

/**
 * What speaks against this password, as a person should read it; empty when nothing does. No rules of composition:
 * length, the list, the person's own words, and how soon it would be guessed.
 * @param password in NFC
 * @param about names, address and service, which it may not consist of
 */
export async function passwordIssues(
  password: string,
  rules: PasswordRules,
  about: readonly (string | null | undefined)[],
  path: string,
): Promise<Issue[]> {
  const length = passwordLength(password);
  if (length > LONGEST_PASSWORD) {
    return [{ path, message: `may have ${LONGEST_PASSWORD} characters at most` }];
  }
  const issues: Issue[] = [];
  if (length < rules.minLength)
    issues.push({ path, message: `must have at least ${rules.minLength} characters` });
  judge ??= loadJudge();
  const { isCommon, score } = await judge;
  const words = ownWords(about);
  if (isCommon(password)) issues.push({ path, message: 'is among the most used passwords' });
  else if (isOwnWord(password, words)) {
    issues.push({ path, message: 'is made of your name, your address or the name of this service' });
  } else if (
    length >= rules.minLength &&
    length <= LONGEST_SCORED &&
    score(password, words) < rules.minScore
  ) {
    issues.push({ path, message: 'is too easy to guess: make it longer or less regular' });
  }
  return issues;
}
