import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whose page sent a request, as far as its browser tells. `program`: no browser that tells. `own`: our own page, or
 * the person at the address bar. `hidden`: a browser that keeps it to itself (a sandboxed frame, a local file, a
 * request from another site without an origin). `Origin` and `Sec-Fetch-Site` cannot be set by a page.
 */
export type Sender = { kind: 'program' | 'own' | 'hidden' } | { kind: 'site'; origin: string };

/** Reads `Origin` (RFC 6454 7) and `Sec-Fetch-Site` (Fetch Metadata). */
export function senderOf(headers: IncomingHttpHeaders): Sender {
  const { origin, 'sec-fetch-site': site } = headers;
  // The origin decides where there is one: a name that somebody has pointed at this machine is `same-origin` too.
  if (origin !== undefined && origin !== 'null') return { kind: 'site', origin };
  if (site === 'same-origin' || site === 'none') return { kind: 'own' };
  return { kind: origin === undefined && site === undefined ? 'program' : 'hidden' };
}
