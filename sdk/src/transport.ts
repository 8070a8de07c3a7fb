import { type ErrorCode, FirstproofError } from './errors.ts';
import { solveChallenge } from './proof-of-work.ts';

export interface TransportOptions {
  /** Where the server is, without a path. */
  baseUrl: string;
  /** Slug of the tenant, where neither host name nor phone tells it. */
  tenant?: string;
  /** For services; never in a browser. */
  apiKey?: string;
  /** Instead of the global one. */
  fetch?: typeof fetch;
  /**
   * Shows a CAPTCHA where the server asks for one beside its proof of work, and gives its token; undefined gives up.
   * Without it such a call ends in PROOF_OF_WORK_REQUIRED.
   */
  onCaptcha?: (captcha: { provider: string; site_key: string }) => Promise<string | undefined>;
  /** Instead of a timer, between tries. */
  wait?: (milliseconds: number) => Promise<void>;
}

export interface Call {
  token?: string | undefined;
  body?: object | undefined;
  /** The same for each try of one call, so that the server may answer a repeated one as the first. */
  idempotent?: boolean;
}

export type Transport = <T>(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  call?: Call,
) => Promise<T>;

const MOST_TRIES = 3;
const LONGEST_WAIT_SECONDS = 10;

/**
 * Speaks JSON to the server. 503 is tried again as Retry-After asks; PROOF_OF_WORK_REQUIRED once, with the work done;
 * every other refusal is a FirstproofError.
 */
export function createTransport(options: TransportOptions): Transport {
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  const wait =
    options.wait ?? ((milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)));
  const root = options.baseUrl.replace(/\/+$/, '');

  return async <T>(method: string, path: string, { token, body, idempotent }: Call = {}): Promise<T> => {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (options.tenant !== undefined) headers['x-tenant'] = options.tenant;
    if (options.apiKey !== undefined) headers['x-api-key'] = options.apiKey;
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    if (idempotent) headers['idempotency-key'] = globalThis.crypto.randomUUID();
    let worked = false;
    for (let attempt = 1; ; attempt++) {
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const response = await send(root + path, init);
      if (response.status === 503 && attempt < MOST_TRIES) {
        const asked = Number(response.headers.get('retry-after') ?? 1);
        await response.body?.cancel();
        // What was solved may be used up.
        worked = false;
        await wait(1000 * Math.min(LONGEST_WAIT_SECONDS, Number.isFinite(asked) ? asked : 1));
        continue;
      }
      const text = await response.text();
      const answer = parse(text);
      if (response.ok) return answer as T;
      const refused = refusal(response.status, answer);
      const work = worked ? undefined : await prove(options, refused);
      if (work === undefined) throw refused;
      Object.assign(headers, work);
      worked = true;
    }
  };
}

/** The headers that answer a challenge; undefined where none is asked for, or it cannot be answered. */
async function prove(
  { onCaptcha }: TransportOptions,
  refused: FirstproofError,
): Promise<Record<string, string> | undefined> {
  const { challenge, captcha } = refused.details;
  if (refused.code !== 'PROOF_OF_WORK_REQUIRED' || challenge === undefined) return undefined;
  const token = captcha && (await onCaptcha?.(captcha));
  if (captcha && token === undefined) return undefined;
  const solution = await solveChallenge(challenge);
  if (solution === undefined) return undefined;
  return {
    'x-challenge-solution': solution,
    ...(token === undefined ? {} : { 'x-captcha-response': token }),
  };
}

function parse(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}

function refusal(status: number, answer: unknown): FirstproofError {
  const {
    error,
    message,
    success: _success,
    statusCode: _statusCode,
    ...details
  } = answer as Record<string, unknown>;
  const code = (typeof error === 'string' ? error : status === 503 ? 'OVERLOADED' : 'INTERNAL') as ErrorCode;
  const sentence = typeof message === 'string' ? message : `The server answered ${status}.`;
  return new FirstproofError(code, status, sentence, details);
}
