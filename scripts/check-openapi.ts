/**
 * Holds docs/reference/openapi.json in step with the routes.
 * Run: node scripts/check-openapi.ts, or with --write to bring the file up to date.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AdminContext, registerAdmin } from '../src/admin/admin.ts';
import { openApiDocument } from '../src/api/openapi-document.ts';

// No handler runs, so what the handlers would work with need not exist.
const registerOthers = (server: Parameters<typeof registerAdmin>[0]): void =>
  registerAdmin(server, {} as AdminContext);
const file = join(dirname(import.meta.dirname), 'docs/reference/openapi.json');
const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
const now = `${JSON.stringify(await openApiDocument(registerOthers), null, 2)}\n`;
const kept = existsSync(file) ? readFileSync(file, 'utf8') : '';

if (values.write) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, now);
  console.log(now === kept ? 'openapi.json was up to date' : 'openapi.json written');
} else if (now === kept) {
  console.log(`openapi.json is in step (${now.split('\n').length} lines)`);
} else {
  const lines = kept.split('\n');
  const first = now.split('\n').findIndex((line, at) => line !== lines[at]);
  console.log(`docs/reference/openapi.json:${first + 1} differs from the routes:`);
  console.log(`  kept:   ${lines[first] ?? '(nothing)'}\n  routes: ${now.split('\n')[first] ?? '(nothing)'}`);
  console.log('Look at the change, then run: node scripts/check-openapi.ts --write');
  process.exitCode = 1;
}
