// Headers that decide who is calling, for whom, or where the body ends. Two values could be read one way by a
// proxy and another way here. Cookie is one of them: RFC 6265 5.4 lets a client send it once, and RFC 9113
// 8.2.3 obliges a proxy that speaks HTTP/2 to join the pieces before it hands them on as HTTP/1.1.
// Lists that grow on the way (X-Forwarded-For, Forwarded, Via, Accept) may repeat: RFC 9110 5.3.
const SINGLE = [
  'authorization',
  'content-length',
  'content-type',
  'cookie',
  'host',
  'idempotency-key',
  'origin',
  'sec-fetch-site',
  'x-api-key',
  'x-csrf-token',
  'x-tenant',
];

const BIT = new Map(SINGLE.map((name, index) => [name, 1 << index]));
// Most headers of a request are told apart by their length alone, before anything is lower-cased.
const HAS_LENGTH = Array.from({ length: 1 + Math.max(...SINGLE.map(({ length }) => length)) }, (_, length) =>
  SINGLE.some((name) => name.length === length),
);

/**
 * Names, in lower case, the first header that came twice and may come only once; undefined where none did.
 * `rawHeaders` is that of node:http: name, value, name, value. node:http itself drops or joins the second one
 * without a word. For requests of HTTP/1.1.
 */
export function findRepeatedHeader(rawHeaders: readonly string[]): string | undefined {
  let seen = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name === undefined || HAS_LENGTH[name.length] !== true) continue;
    const lowered = name.toLowerCase();
    const bit = BIT.get(lowered);
    if (bit === undefined) continue;
    if ((seen & bit) !== 0) return lowered;
    seen |= bit;
  }
  return undefined;
}
