/** One import, export-from, dynamic import or require found in a source text. */
export type ImportFound = {
  /** The module named, or null where it is computed at run time. */
  readonly specifier: string | null;
  /** 1-based line of the specifier. */
  readonly line: number;
};

const WORDS_BEFORE_A_REGEX = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof'.split(' '),
);

/**
 * The same text, of the same length and with the same lines, in which comments, the content of strings
 * and the content of regular expressions are spaces. Quotes stay; code inside `${…}` stays.
 * Rules that look for words then never trip over prose.
 */
export function maskSource(text: string): string {
  const masked = text.split('');
  const braces: ('block' | 'template')[] = [];
  let at = 0;
  const blank = (until: number): void => {
    for (; at < until && at < text.length; at += 1) if (text[at] !== '\n') masked[at] = ' ';
  };
  const string = (quote: string): void => {
    at += 1;
    while (at < text.length && text[at] !== quote && text[at] !== '\n')
      blank(at + (text[at] === '\\' ? 2 : 1));
    at += 1;
  };
  const template = (): void => {
    while (at < text.length && text[at] !== '`') {
      if (text[at] === '$' && text[at + 1] === '{') {
        braces.push('template');
        at += 2;
        return;
      }
      blank(at + (text[at] === '\\' ? 2 : 1));
    }
    at += 1;
  };
  const regex = (): void => {
    let inClass = false;
    at += 1;
    while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
      if (text[at] === '[') inClass = true;
      if (text[at] === ']') inClass = false;
      blank(at + (text[at] === '\\' ? 2 : 1));
    }
    at += 1;
  };
  if (text.startsWith('#!')) blank(lineEnd(text, 0));
  while (at < text.length) {
    const character = text[at] as string;
    if (text.startsWith('//', at)) blank(lineEnd(text, at));
    else if (text.startsWith('/*', at)) blank(blockCommentEnd(text, at));
    else if (character === "'" || character === '"') string(character);
    else if (character === '`') {
      at += 1;
      template();
    } else if (character === '/' && startsRegex(masked, at)) regex();
    else {
      if (character === '{') braces.push('block');
      at += 1;
      if (character === '}' && braces.pop() === 'template') template();
    }
  }
  return masked.join('');
}

/** 1-based line of a position in a text. */
export function lineOf(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

const CLAUSE = String.raw`[\w$\s,*]*(?:\{[^}]*\})?`;
const STATIC = String.raw`(?:import\s*${CLAUSE}\s*from|export\s*(?:type\s*)?(?:\*\s*(?:as\s+[\w$]+)?|\{[^}]*\})\s*from|import)`;
const IMPORTS = new RegExp(
  String.raw`(?<![.\w$#])(?:${STATIC}\s*(?<quote>['"])|(?:import|require)\s*\(\s*(?<argument>[^\s)]))`,
  'g',
);

/**
 * Every module a TypeScript or JavaScript text names: `import … from`, `export … from`, `import '…'`,
 * `import('…')` (also as a type) and `require('…')`, in order. Type imports count like any other.
 */
export function findImports(text: string): ImportFound[] {
  const masked = maskSource(text);
  return Array.from(masked.matchAll(IMPORTS), (match) => {
    const opening = match.index + match[0].length - 1;
    const quote = text[opening] as string;
    const line = lineOf(text, opening);
    const closing = masked.indexOf(quote, opening + 1);
    const isText = `'"\``.includes(quote) && closing > opening;
    const specifier = isText ? text.slice(opening + 1, closing) : null;
    const isWhole =
      isText && (match.groups?.['quote'] !== undefined || /^\s*[,)]/.test(masked.slice(closing + 1)));
    return { specifier: isWhole && !specifier?.includes('${') ? specifier : null, line };
  });
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

function blockCommentEnd(text: string, from: number): number {
  const end = text.indexOf('*/', from + 2);
  return end === -1 ? text.length : end + 2;
}

/** A slash opens a regular expression where a value may begin; after a value it divides. */
function startsRegex(masked: readonly string[], slash: number): boolean {
  const before = masked
    .slice(Math.max(0, slash - 200), slash)
    .join('')
    .trimEnd();
  const word = /[\w$]+$/.exec(before)?.[0];
  if (word !== undefined) return WORDS_BEFORE_A_REGEX.has(word);
  return before === '' || !/[)\]}'"`]$/.test(before);
}
