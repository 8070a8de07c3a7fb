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
