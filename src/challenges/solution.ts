import type { Payload } from 'altcha-lib/types';

/** A base64 text longer than this is no solution. */
const LONGEST = 4096;

/** What a challenge carries beside its puzzle, under its signature. */
export interface ChallengeData {
  /** Names its caller without telling it. */
  caller: string;
  /** Seconds since 1970. */
  expires: number;
  level: number;
}

/** Reads a solution in the form of ALTCHA: base64 of `{ challenge: { parameters, signature }, solution: { counter, derivedKey } }`. */
export function readSolution(text: string): { payload: Payload; data: ChallengeData } | undefined {
  if (text.length > LONGEST || !/^[\w+/=-]+$/.test(text)) return undefined;
  const payload = asObject(parse(Buffer.from(text, 'base64').toString()));
  const challenge = asObject(payload?.['challenge']);
  const parameters = asObject(challenge?.['parameters']);
  const data = asObject(parameters?.['data']);
  const solution = asObject(payload?.['solution']);
  if (!challenge || !parameters || !data || !solution) return undefined;
  const { caller, expires, level } = data;
  const isOurs = typeof caller === 'string' && Number.isSafeInteger(expires) && Number.isSafeInteger(level);
  const isWhole = typeof challenge['signature'] === 'string' && typeof parameters['nonce'] === 'string';
  if (!isOurs || !isWhole) return undefined;
  return {
    payload: payload as unknown as Payload,
    data: { caller, expires: expires as number, level: level as number },
  };
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
