/** One header value: visible ASCII, bare or as the quoted string of RFC 9651, which is how the draft writes it. */
const KEY = /^(?:"([\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255}))$/;

/** The key that a header holds; undefined where it holds none that could be one. */
export function parseIdempotencyKey(header: string): string | undefined {
  const match = KEY.exec(header);
  return match?.[1] ?? match?.[2];
}

/** The same text for the same JSON, in whichever order its fields came. */
export function canonicalJson(value: object): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    const fields = Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1));
    return Object.fromEntries(fields);
  });
}

/**
 * Is an answer kept for those who ask again? Only where something was done: a success, or a refusal that was counted
 * (a wrong code, a wrong password). After any other refusal the key is free again, so that a person who comes back
 * when the reason is gone is not told the old one for a day.
 */
export function isKept(status: number): boolean {
  return (status >= 200 && status < 300) || status === 401;
}
