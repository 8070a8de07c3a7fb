import type { SendResult } from '../provider.ts';

/** One request to a provider. Its URL, headers and body may hold secrets: none of them is ever logged. */
export interface HttpCall {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

/** What came back, whole and small; or a word for why nothing usable did. */
export type HttpAnswer =
  | { ok: true; status: number; headers: Headers; text: string }
  | { ok: false; error: string };

export interface HttpCaller {
  /** Never throws: what goes wrong on the way is `ok: false`. */
  call(call: HttpCall, signal?: AbortSignal): Promise<HttpAnswer>;
}

export interface HttpCallerOptions {
  fetch: typeof fetch;
  /** For the whole exchange, to the last byte: an answer that drips does not last longer. */
  timeoutMilliseconds?: number;
  /** A longer answer is cut off and counts as none. */
  mostBytes?: number;
}

const TIMEOUT_MILLISECONDS = 8000;
const MOST_BYTES = 65_536;

/**
 * Calls providers over HTTP within bounds of time and memory. Redirects are not followed: the credentials would go
 * where somebody else points. An answer is read to its end or not at all.
 */
export function createHttpCaller(options: HttpCallerOptions): HttpCaller {
  const { timeoutMilliseconds = TIMEOUT_MILLISECONDS, mostBytes = MOST_BYTES } = options;
  return {
    async call({ method, url, headers, body }, signal) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), timeoutMilliseconds);
      const signals = signal ? [signal, late.signal] : [late.signal];
      try {
        const response = await options.fetch(url, {
          method,
          redirect: 'manual',
          signal: AbortSignal.any(signals),
          ...(headers ? { headers: { ...headers } } : {}),
          ...(body === undefined ? {} : { body }),
        });
        if (response.status >= 300 && response.status < 400) {
          await response.body?.cancel();
          return { ok: false, error: `http ${response.status} redirect` };
        }
        const text = await readAtMost(response, mostBytes);
        if (text === undefined) return { ok: false, error: `http ${response.status} answer too long` };
        return { ok: true, status: response.status, headers: response.headers, text };
      } catch (fault) {
        if (late.signal.aborted || signal?.aborted) return { ok: false, error: 'timeout' };
        return { ok: false, error: `network ${causeOf(fault)}` };
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function readAtMost(response: Response, mostBytes: number): Promise<string | undefined> {
  if (response.body === null) return '';
  const parts: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the stream and closes the connection.
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    size += part.byteLength;
    if (size > mostBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The system's word for a fault (ECONNRESET, ENOTFOUND, UND_ERR_SOCKET …): its sentence may quote the URL. */
function causeOf(fault: unknown): string {
  const { cause } = (fault ?? {}) as { cause?: { code?: unknown } };
  const code = cause?.code;
  return typeof code === 'string' && /^[A-Z_]{3,40}$/.test(code) ? code : 'failed';
}

/** An answer as a JSON object; undefined when it is none, such as an error page. */
export function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The longest a provider may ask us to wait: a code lives ten minutes. */
const LONGEST_WAIT_SECONDS = 600;

/** Retry-After in seconds (RFC 9110 10.2.3); a date is compared with the answer's own Date, so that no clock is asked. */
export function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text), LONGEST_WAIT_SECONDS);
  const seconds = (Date.parse(text) - Date.parse(headers.get('date') ?? '')) / 1000;
  return Number.isFinite(seconds) && seconds > 0
    ? Math.min(Math.ceil(seconds), LONGEST_WAIT_SECONDS)
    : undefined;
}

/** A try that may be made again, not before the provider has asked for it. */
export function retryLater(error: string, headers?: Headers): SendResult {
  const retryAfterSeconds = headers && retryAfterOf(headers);
  return { state: 'retry', error, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

/** What an HTTP status means where the provider's own code says nothing more (RFC 9110 15). */
export function resultOfStatus(name: string, status: number, headers: Headers): SendResult {
  const error = `${name} http ${status}`;
  if (status === 401 || status === 403) return { state: 'refused', error, remedy: 'alarm' };
  if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) return { state: 'refused', error };
  return retryLater(error, headers);
}
