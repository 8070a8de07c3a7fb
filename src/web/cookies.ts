/**
 * The value of one cookie in a Cookie header (RFC 6265 4.2.1), as it was sent. Undefined when it is not there, and
 * when it is there twice: a second one may have been planted from a neighbouring host, so neither is believed.
 */
export function readCookie(header: string, name: string): string | undefined {
  const values = header.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals > 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
  });
  return values.length === 1 ? values[0] : undefined;
}

/** Every cookie of a Cookie header whose name begins so, each name once; those that are there twice are left out. */
export function cookiesNamed(header: string, prefix: string): string[] {
  const names = header.split(';').map((pair) => pair.slice(0, Math.max(0, pair.indexOf('='))).trim());
  return names.filter((name) => name.startsWith(prefix) && names.indexOf(name) === names.lastIndexOf(name));
}

/**
 * The name of a cookie of ours. Over https the browser holds `__Host-` to its promise: this very host, whole site,
 * Secure; a neighbouring host cannot plant one (RFC 6265bis 4.1.3.2, ASVS 3.3.1).
 */
export function cookieName(name: string, secure: boolean): string {
  return secure ? `__Host-${name}` : name;
}

/**
 * A Set-Cookie line: HttpOnly, the whole site, SameSite=Lax (ASVS 3.3.2 to 3.3.4). Lax and not Strict: whoever comes
 * by a link of another site is still who they are.
 * @param life seconds; 0 removes it; left out: until the browser closes
 */
export function setCookieLine(name: string, value: string, secure: boolean, life?: number): string {
  const age = life === undefined ? '' : `; Max-Age=${life}`;
  return `${name}=${value}; Path=/${age}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}
