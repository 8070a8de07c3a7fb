import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openReport } from './report.ts';

const row = (line: number) => ({ line, issues: [{ path: '/email', message: 'ж' }] });
const text = (...lines: number[]): string => lines.map((line) => `${JSON.stringify(row(line))}\n`).join('');

test('a report holds each refused row once, however often its batch is tried or the import is resumed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'firstproof-report-'));
  const path = join(folder, 'refused.jsonl');
  const first = openReport(path, 0);
  assert.equal(first.write(0, []), 0);
  assert.equal(existsSync(path), false);
  const end = first.write(0, [row(1)]);
  assert.equal(end, Buffer.byteLength(text(1)));
  first.write(end, [row(2), row(3)]);
  const again = first.write(end, [row(2)]);
  first.close();
  assert.equal(readFileSync(path, 'utf8'), text(1, 2));
  assert.equal(statSync(path).mode & 0o777, 0o600);

  writeFileSync(path, text(9), { flag: 'a' });
  const second = openReport(path, again);
  second.write(again, [row(4)]);
  second.close();
  assert.equal(readFileSync(path, 'utf8'), text(1, 2, 4));
  rmSync(folder, { recursive: true });
});
