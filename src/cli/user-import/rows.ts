import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { parse } from 'csv-parse';
import type { Issue } from '../../kernel/errors.ts';
import { parseStrictJson } from '../../web/json-body.ts';
import { CliError } from '../errors.ts';
import { COLUMNS, type Fields } from './read-user.ts';

/** One row of a file: its fields, or why it cannot be read. */
export interface Row {
  /** Where it ends in the file, from 1. */
  line: number;
  fields: Fields | undefined;
  /** Set where fields is not. */
  problem: Issue | undefined;
  /** Bytes of the file read so far, for the progress. */
  bytes: number;
}

export type Format = 'csv' | 'jsonl';

const LONGEST_ROW = 65_536;

/** Reads a file row by row; it may be larger than the memory. @throws CliError where the file as a whole is no such file */
export function readRows(path: string, format: Format): AsyncGenerator<Row> {
  return format === 'csv' ? readCsv(path) : readJsonLines(path);
}

/** The format that a file's name tells. */
export function formatOf(path: string): Format | undefined {
  if (/\.csv$/i.test(path)) return 'csv';
  return /\.(jsonl|ndjson)$/i.test(path) ? 'jsonl' : undefined;
}

/** Text of a file in pieces. Bytes that are no UTF-8 end it: guessed names would be stored for good. */
async function* decode(path: string): AsyncGenerator<{ text: string; bytes: number }> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      yield { text: decoder.decode(chunk, { stream: true }), bytes };
    }
    yield { text: decoder.decode(), bytes };
  } catch (fault) {
    if ((fault as { code?: unknown }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw new CliError(`${path} is not UTF-8. Convert it first: iconv -t utf-8`);
    }
    throw fault;
  }
}

async function* readCsv(path: string): AsyncGenerator<Row> {
  const parser = parse({
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_ROW,
  });
  let bytes = 0;
  async function* texts(): AsyncGenerator<string> {
    for await (const piece of decode(path)) {
      bytes = piece.bytes;
      yield piece.text;
    }
  }
  // A fault on either side ends both, and comes out of the loop below.
  pipeline(Readable.from(texts()), parser, () => {});
  let columns: string[] | undefined;
  try {
    for await (const read of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      const { record, info } = read;
      const { lines: line } = info;
      if (columns === undefined) {
        columns = readHeader(record);
      } else if (record.length !== columns.length) {
        const problem = whole(`has ${record.length} fields, not ${columns.length}`);
        yield { line, fields: undefined, problem, bytes };
      } else {
        const entries = columns.map((name, index) => [name, record[index] ?? ''] as const);
        const fields = Object.fromEntries(entries.filter(([, text]) => text !== ''));
        yield { line, fields, problem: undefined, bytes };
      }
    }
  } catch (fault) {
    const { code, lines } = fault as { code?: unknown; lines?: unknown };
    if (typeof code !== 'string' || !code.startsWith('CSV_')) throw fault;
    throw new CliError(`${path} cannot be read as CSV from line ${String(lines)} on: check its quotes.`);
  } finally {
    parser.destroy();
  }
  if (columns === undefined) throw new CliError(`${path} has no header line.`);
}

function readHeader(record: readonly string[]): string[] {
  const columns = record.map((name) =>
    name
      .replace(/^\ufeff/, '')
      .trim()
      .toLowerCase(),
  );
  const unknown = columns.filter((name) => !(COLUMNS as readonly string[]).includes(name));
  if (unknown.length > 0 || new Set(columns).size < columns.length) {
    const what =
      unknown.length > 0 ? `unknown columns: ${unknown.join(', ').slice(0, 200)}` : 'a column twice';
    throw new CliError(`The header has ${what}. There are: ${COLUMNS.join(', ')}.`);
  }
  return columns;
}

async function* readJsonLines(path: string): AsyncGenerator<Row> {
  let rest = '';
  let line = 0;
  let bytes = 0;
  let tooLong = false;
  const read = (text: string): Row[] => {
    line++;
    const json = line === 1 ? text.replace(/^\ufeff/, '') : text;
    if (tooLong || json.length > LONGEST_ROW) {
      tooLong = false;
      const problem = whole(`is longer than ${LONGEST_ROW} characters`);
      return [{ line, fields: undefined, problem, bytes }];
    }
    return json.trim() === '' ? [] : [{ line, bytes, ...readJson(json) }];
  };
  for await (const piece of decode(path)) {
    bytes = piece.bytes;
    const lines = (rest + piece.text).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) yield* read(text);
    if (rest.length > LONGEST_ROW) {
      tooLong = true;
      rest = '';
    }
  }
  if (rest !== '' || tooLong) yield* read(rest);
}

function readJson(text: string): Pick<Row, 'fields' | 'problem'> {
  const parsed = parseStrictJson(text);
  if (!parsed.ok) return { fields: undefined, problem: parsed.issue };
  const { value } = parsed;
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { fields: value as Fields, problem: undefined }
    : { fields: undefined, problem: whole('is not a JSON object') };
}

function whole(message: string): Issue {
  return { path: '', message };
}
