import { solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import type { Challenge } from 'altcha-lib/types';

/** Solves a challenge with the library that others use, as X-Challenge-Solution wants it. */
export async function solve(challenge: unknown): Promise<string> {
  const { parameters, signature } = challenge as Challenge;
  const put = { parameters, ...(signature === undefined ? {} : { signature }) };
  const solution = await solveChallenge({ challenge: put, deriveKey });
  return Buffer.from(JSON.stringify({ challenge: put, solution })).toString('base64');
}
