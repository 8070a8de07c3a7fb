import { Type } from 'typebox';
import { isPlainHost } from '../kernel/plain-host.ts';

/** Where people may be sent after they signed in on the hosted pages. Compared letter for letter. */
export const returnAddressesSchema = Type.Array(Type.String({ minLength: 1, maxLength: 500 }), {
  maxItems: 50,
  uniqueItems: true,
});

/** An application's own scheme is its domain backwards (RFC 8252 7.1), so that nobody else has it by accident. */
const PRIVATE_SCHEME = /^[a-z][a-z0-9]*(?:\.[a-z0-9-]+)+:$/;
// Written as it is sent: what a browser would correct on the way would be compared as something else.
const PLAIN = /^[\x21-\x7e]+$/;

/** What is wrong with these return addresses, by their place. */
export function returnAddressIssues(addresses: readonly string[] = []): { path: string; message: string }[] {
  return addresses.flatMap((address, index) => {
    const problem = returnAddressProblem(address);
    return problem === undefined ? [] : [{ path: `/return_addresses/${index}`, message: problem }];
  });
}

/**
 * `https`, `http` on this machine only, or an application's own scheme; no fragment, no user, nothing a browser would
 * read as script (RFC 9700 4.11, ASVS 10.4.1). An https address is written as browsers write it.
 */
function returnAddressProblem(address: string): string | undefined {
  if (!PLAIN.test(address) || address.includes('\\')) return 'may hold visible ASCII characters only';
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url) return 'must be a whole address, such as https://app.example.com/signed-in';
  if (address.includes('#')) return 'must not have a fragment';
  if (url.username !== '' || url.password !== '') return 'must not hold a user or a password';
  if (PRIVATE_SCHEME.test(url.protocol)) return undefined;
  const isLocal = url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !isLocal) {
    return 'must begin with https:// (http:// for localhost), or with the scheme of an application: com.example.app:/signed-in';
  }
  if (!isPlainHost(url.hostname)) return 'must name a host of letters, digits, dots and dashes';
  return url.href === address ? undefined : `must be written as browsers send it: ${url.href}`;
}
