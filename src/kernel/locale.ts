/** The languages the server speaks: its messages, pages and errors. `am` is Amharic. */
export const SUPPORTED_LOCALES = ['en', 'ru', 'uz', 'fa', 'am'] as const;

const LANGUAGE_TAG = /^[a-z]{1,8}(?:-[a-z0-9]{1,8})*$/i;
const LONGEST_TAG = 35;
const LONGEST_HEADER = 512;
const MOST_RANGES = 16;

/**
 * Picks the locale to answer in: the first requested one that is available, each shortened from its end until
 * it fits (RFC 4647 lookup: `fa-IR` → `fa`). Case is ignored; what is not a BCP 47 tag is passed over.
 * Gives an entry of `available` as it is written there, or `fallback`.
 */
export function matchLocale<Available extends string, Fallback extends string>(
  requested: string | readonly string[] | undefined,
  available: readonly Available[],
  fallback: Fallback,
): Available | Fallback {
  if (requested === undefined) return fallback;
  for (const tag of typeof requested === 'string' ? [requested] : requested) {
    const found = lookup(tag, available);
    if (found !== undefined) return found;
  }
  return fallback;
}

/**
 * Reads an Accept-Language header (RFC 9110 12.5.4) into language tags, the most wanted first.
 * `*`, `q=0` and what is malformed are left out. Only the first 16 ranges and 512 characters are read: the
 * header is a stranger's.
 */
export function parseAcceptLanguage(header: string | undefined): string[] {
  if (header === undefined || header === '') return [];
  const ranges: { tag: string; quality: number }[] = [];
  for (const part of header.slice(0, LONGEST_HEADER).split(',', MOST_RANGES)) {
    const [tag = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    const quality = readQuality(parameters);
    if (quality > 0 && isLanguageTag(tag)) ranges.push({ tag, quality });
  }
  return ranges.sort((a, b) => b.quality - a.quality).map(({ tag }) => tag);
}

function lookup<Available extends string>(
  tag: string,
  available: readonly Available[],
): Available | undefined {
  if (!isLanguageTag(tag)) return undefined;
  for (
    let range = tag.toLowerCase();
    range !== '';
    range = range.slice(0, Math.max(range.lastIndexOf('-'), 0))
  ) {
    const found = available.find((candidate) => candidate.toLowerCase() === range);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isLanguageTag(tag: string): boolean {
  return tag.length <= LONGEST_TAG && LANGUAGE_TAG.test(tag);
}

function readQuality(parameters: string[]): number {
  if (parameters.length === 0) return 1;
  const match = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i.exec(parameters[0] ?? '');
  return match?.[1] === undefined || parameters.length > 1 ? 0 : Number(match[1]);
}
