import { type ErrorCode, FirstproofError } from './errors.ts';
import { solveChallenge } from './proof-of-work.ts';

/** A CAPTCHA as the server asks for one. */
export interface Captcha {
  provider: string;
  site_key: string;
}

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
  onCaptcha?: (captcha: Captcha) => Promise<string | undefined>;
  /** Told when a proof of work begins: it takes a moment. */
  onWork?: () => void;
  /** Instead of a timer, between tries. */
  wait?: (milliseconds: number) => Promise<void>;
}

export interface Call {
  token?: string | undefined;
  body?: object | undefined;
  /** The server heeds Idempotency-Key here: one for all tries of this call, so that none is done again. */
  idempotent?: boolean;
}

export type Transport = <T>(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  call?: Call,
) => Promise<T>;

/** Waits, unless `wait` was given. */
export const timer = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const MOST_TRIES = 3;
const LONGEST_WAIT_SECONDS = 10;
/** While the first try of a call is still being answered, the one that repeats it waits. */
const MOST_WAITS_FOR_THE_FIRST = 30;
const AWAY = new Set([502, 503, 504]);

/**
 * Speaks JSON to the server. 503 is tried again as Retry-After asks; PROOF_OF_WORK_REQUIRED once, with the work done.
 * Where the answer was lost on its way (no network, or a proxy's word in place of the server's) what does no harm is
 * sent once more: what only reads, and what carries an Idempotency-Key. Every other refusal is a FirstproofError.
 */
export function createTransport(options: TransportOptions): Transport {
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  const wait = options.wait ?? timer;
  const root = options.baseUrl.replace(/\/+$/, '');

  return async <T>(method: string, path: string, { token, body, idempotent }: Call = {}): Promise<T> => {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (options.tenant !== undefined) headers['x-tenant'] = options.tenant;
    if (options.apiKey !== undefined) headers['x-api-key'] = options.apiKey;
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    if (idempotent) headers['idempotency-key'] = globalThis.crypto.randomUUID();
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const isRepeatable = idempotent === true || method === 'GET';
    let isRepeated = false;
    let waits = 0;
    let worked = false;

    /** Before the call is sent again: what was solved may be used up by then. */
    async function pause(seconds: number): Promise<void> {
      worked = false;
      await wait(1000 * Math.min(LONGEST_WAIT_SECONDS, seconds));
    }

    for (let attempt = 1; ; attempt++) {
      const came = await receive(send, root + path, init);
      const isLost = 'fault' in came || (AWAY.has(came.status) && !isOurs(came.answer));
      if (isLost && isRepeatable && !isRepeated && !('isOver' in came)) {
        isRepeated = true;
        await pause('fault' in came ? 1 : came.retryAfter);
        continue;
      }
      if ('fault' in came) throw came.fault;
      const { status, answer, retryAfter } = came;
      if (status >= 200 && status < 300) return answer as T;
      // Of the server itself, 503 means that nothing was done.
      if (status === 503 && (!isLost || isRepeatable) && attempt < MOST_TRIES) {
        await pause(retryAfter);
        continue;
      }
      const refused = refusal(status, answer);
      if (isRepeated && refused.code === 'IDEMPOTENCY_KEY_IN_USE' && waits++ < MOST_WAITS_FOR_THE_FIRST) {
        await pause(retryAfter);
        continue;
      }
      const work = worked ? undefined : await prove(options, refused);
      if (work === undefined) throw refused;
      Object.assign(headers, work);
      // What was refused is over, and kept by its key: this is another request.
      if (idempotent) headers['idempotency-key'] = globalThis.crypto.randomUUID();
      worked = true;
    }
  };
}

type Came =
  | { status: number; answer: unknown; retryAfter: number }
  /** No answer, or the beginning of one. `isOver`: the caller has given up. */
  | { fault: unknown; isOver?: true };

async function receive(send: typeof fetch, url: string, init: RequestInit): Promise<Came> {
  try {
    const response = await send(url, init);
    const asked = Number(response.headers.get('retry-after') ?? 1);
    const retryAfter = Number.isFinite(asked) ? asked : 1;
    return { status: response.status, answer: parse(await response.text()), retryAfter };
  } catch (fault) {
    const isOver = fault instanceof Error && fault.name === 'AbortError';
    return isOver ? { fault, isOver } : { fault };
  }
}

/** Is this the server's own word, and not that of something before it? */
function isOurs(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'error' in answer && 'statusCode' in answer;
}

/** The headers that answer a challenge; undefined where none is asked for, or it cannot be answered. */
async function prove(
  { onCaptcha, onWork }: TransportOptions,
  refused: FirstproofError,
): Promise<Record<string, string> | undefined> {
  const { challenge, captcha } = refused.details;
  if (challenge === undefined || !asksForWork(refused)) return undefined;
  const token = captcha && (await onCaptcha?.(captcha));
  if (captcha && token === undefined) return undefined;
  onWork?.();
  const solution = await solveChallenge(challenge);
  if (solution === undefined) return undefined;
  return {
    'x-challenge-solution': solution,
    ...(token === undefined ? {} : { 'x-captcha-response': token }),
  };
}

/** A sign-in whose address waits for its proof is refused either way; with work its code goes out. */
function asksForWork({ code, details }: FirstproofError): boolean {
  return (
    code === 'PROOF_OF_WORK_REQUIRED' ||
    (code === 'ACCOUNT_NOT_VERIFIED' && details.next_action === 'SOLVE_CHALLENGE')
  );
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
