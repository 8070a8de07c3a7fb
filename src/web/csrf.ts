import type { IncomingHttpHeaders } from 'node:http';
import { constantTimeEqual, randomToken, type Secrets } from '../kernel/secrets.ts';

const SALT_CHARACTERS = 12;

/**
 * The token of a form, for one browser and one purpose. It differs each time: compressed beside what somebody else
 * made the page repeat, an unchanging secret could be guessed by the length of the answer (BREACH).
 * @param browser what only this browser's cookie holds
 */
export function formToken(secrets: Secrets, browser: string, purpose: string): string {
  const salt = randomToken(9);
  return salt + secrets.mac('form', salt, browser, purpose).toString('base64url');
}

/** Was this token made for this browser and purpose? */
export function isFormToken(secrets: Secrets, browser: string, purpose: string, token: string): boolean {
  const salt = token.slice(0, SALT_CHARACTERS);
  const given = Buffer.from(token.slice(SALT_CHARACTERS), 'base64url');
  return secrets.macs('form', salt, browser, purpose).some((mac) => constantTimeEqual(mac, given));
}

/**
 * Does the browser say that one of our own pages sent this request (ASVS 3.5.1 to 3.5.3)? `Sec-Fetch-Site` cannot be
 * set by a page; where it is missing, `Origin` must be ours. Browsers that send neither, or `null` as an effect of
 * Referrer-Policy, leave it to the form's token.
 */
export function isOwnRequest(headers: IncomingHttpHeaders, ownOrigins: readonly string[]): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = headers;
  return origin === undefined || origin === 'null' || ownOrigins.includes(origin);
}
