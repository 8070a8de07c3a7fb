import { closeSync, fsyncSync, ftruncateSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import type { Issue } from '../../kernel/errors.ts';

export interface RefusedRow {
  line: number;
  issues: readonly Issue[];
}

/** The file that tells which rows were refused and why, as JSON Lines. Holds lines and fields, never a password hash. */
export interface Report {
  /** Writes rows at this place and cuts off what lay behind it: a batch that is tried again. @returns the new end */
  write(at: number, rows: readonly RefusedRow[]): number;
  close(): void;
}

/**
 * Opens a report. On a resumed import what lies behind `keepBytes` is cut off: those rows were never committed and come
 * again. The file is made with the first refused row.
 */
export function openReport(path: string, keepBytes: number): Report {
  let file: number | undefined;
  let end = 0;
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size !== undefined) {
    end = Math.min(size, keepBytes);
    truncateSync(path, end);
  }
  return {
    write(at, rows) {
      if (rows.length === 0 && end <= at) return end;
      file ??= openSync(path, 'a', 0o600);
      if (end > at) {
        ftruncateSync(file, at);
        end = at;
      }
      const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
      end += writeSync(file, text);
      fsyncSync(file);
      return end;
    },
    close() {
      if (file !== undefined) closeSync(file);
    },
  };
}
