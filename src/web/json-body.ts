export type JsonIssue = {
  /** JSON pointer (RFC 6901) to what is wrong; '' is the whole body. Never longer than a screen needs. */
  path: string;
  message: string;
};

export type StrictJsonResult = { ok: true; value: unknown } | { ok: false; issue: JsonIssue };

type ObjectInProgress = { keys: Set<string>; at: string };
type ListInProgress = { keys: undefined; at: number };
type Container = ObjectInProgress | ListInProgress;

const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

const DEEPEST = 8;
/** Fields of one object: each costs its look at the schema, and an answer that says what is wrong with it. */
export const MOST_KEYS = 1000;
const LONGEST_STEP = 64;

const refuse = (path: string, message: string): StrictJsonResult => ({ ok: false, issue: { path, message } });

/**
 * Reads JSON as I-JSON does (RFC 7493): what two parsers could read differently is refused, not guessed.
 *
 * Refused: a byte order mark, the same key twice in one object, more than 1,000 keys in one, more than 8 containers
 * inside one another, the keys `__proto__` and `constructor.prototype`, and in any string a NUL or half of a surrogate
 * pair, which PostgreSQL cannot store. Otherwise the value is that of JSON.parse. The text's length is the
 * caller's to limit.
 */
export function parseStrictJson(text: string): StrictJsonResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('', 'is not valid JSON');
  }
  // UTF-8 cannot carry half a pair; a caller that decoded the bytes otherwise is not trusted with it either.
  if (!text.isWellFormed()) return refuse('', 'holds a character that cannot be stored');
  const issue = inspect(text);
  return issue === undefined ? { ok: true, value } : { ok: false, issue };
}

/** Walks text that JSON.parse has accepted, so that only strings and punctuation need to be looked at. */
function inspect(text: string): JsonIssue | undefined {
  const open: Container[] = [];
  let current: Container | undefined;
  let expectsKey = false;

  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (open.length === DEEPEST) return issueAt(open, `is nested deeper than ${DEEPEST} levels`);
      expectsKey = code === OPEN_OBJECT;
      current = expectsKey ? { keys: new Set(), at: '' } : { keys: undefined, at: 0 };
      open.push(current);
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      open.pop();
      current = open.at(-1);
      expectsKey = false;
    } else if (code === COMMA && current !== undefined) {
      expectsKey = current.keys !== undefined;
      if (current.keys === undefined) current.at += 1;
    } else if (code === QUOTE) {
      const { end, hasEscape } = endOfString(text, at);
      if (expectsKey || hasEscape) {
        const string = hasEscape ? (JSON.parse(text.slice(at, end + 1)) as string) : text.slice(at + 1, end);
        if (expectsKey && current?.keys !== undefined && !enterKey(current, string)) {
          return issueAt(open, 'is given more than once');
        }
        if (expectsKey && current?.keys !== undefined && current.keys.size > MOST_KEYS) {
          return issueAt(open.slice(0, -1), `may hold ${MOST_KEYS} fields at most`);
        }
        if (expectsKey && isForbidden(string, open.at(-2)?.at))
          return issueAt(open, 'is not an allowed name');
        if (hasEscape && !isStorable(string)) return issueAt(open, 'holds a character that cannot be stored');
        expectsKey = false;
      }
      at = end;
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): { end: number; hasEscape: boolean } {
  let hasEscape = false;
  for (let at = start + 1; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return { end: at, hasEscape };
    if (code === BACKSLASH) {
      hasEscape = true;
      at += 1;
    }
  }
}

/** Notes the key that the walk is at; false where the object already has it. */
function enterKey(object: ObjectInProgress, key: string): boolean {
  object.at = key;
  if (object.keys.has(key)) return false;
  object.keys.add(key);
  return true;
}

// Names by which a later merge of objects would walk to the prototype of every object.
function isForbidden(key: string, parentKey: string | number | undefined): boolean {
  return key === '__proto__' || (key === 'prototype' && parentKey === 'constructor');
}

function isStorable(string: string): boolean {
  return !string.includes('\0') && string.isWellFormed();
}

function issueAt(open: Container[], message: string): JsonIssue {
  const path = open
    .map(({ at }) => `/${String(at).slice(0, LONGEST_STEP).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
  return { path: path.toWellFormed(), message };
}
