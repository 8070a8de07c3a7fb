/**
 * Attack programs: each starts a whole server on a real PostgreSQL with the budgets of production, attacks it over HTTP
 * and prints what it reached. Hours and days pass by a clock that is turned.
 *
 * Run: npm run attacks [-- NAME …] [--json] [--write]
 * `--write` puts the table into docs/reference/security.md. The exit code is 1 when a bound was passed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withBlock } from '../../scripts/settings-reference.ts';
import { globalSetup, globalTeardown } from '../global-setup.ts';
import { enumeration } from './enumeration.ts';
import { guessing } from './guessing.ts';
import { lockOut } from './lock-out.ts';
import { pumping } from './pumping.ts';
import { spraying } from './spraying.ts';
import { type Attack, type Figure, holds, startTarget } from './target.ts';

const attacks: readonly Attack[] = [guessing, spraying, pumping, enumeration, lockOut];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'security.md');
const BEGIN = '<!-- attacks: written by `npm run attacks -- --write` -->';
const END = '<!-- end of attacks -->';

function bound({ most, least }: Figure): string {
  if (most !== undefined) return `at most ${most.toLocaleString('en-US')}`;
  return least === undefined ? '' : `at least ${least.toLocaleString('en-US')}`;
}

function rowOf(figure: Figure): string {
  const reached =
    typeof figure.reached === 'number' ? figure.reached.toLocaleString('en-US') : figure.reached;
  return `| ${figure.attack} | ${figure.figure} | ${reached} | ${bound(figure)} |`;
}

function tableOf(figures: readonly Figure[]): string {
  return ['| attack | figure | reached | allowed |', '|---|---|---:|---|', ...figures.map(rowOf)].join('\n');
}

const chosen = positionals.length === 0 ? attacks : attacks.filter(({ name }) => positionals.includes(name));
if (chosen.length === 0) {
  console.error(`No such attack. There are: ${attacks.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const figures: Figure[] = [];
await globalSetup();
try {
  for (const attack of chosen) {
    const started = performance.now();
    console.error(`${attack.name}: ${attack.story} …`);
    const target = await startTarget();
    const reached = await attack.run(target);
    await target.close();
    figures.push(...reached);
    for (const one of reached) {
      console.error(
        `  ${holds(one) ? '  ' : '✖ '}${one.figure}: ${one.reached}${bound(one) && `, ${bound(one)}`}`,
      );
    }
    console.error(`  ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
} finally {
  await globalTeardown();
}
console.log(values.json ? JSON.stringify(figures, null, 2) : tableOf(figures));
if (values.write) {
  if (chosen.length < attacks.length) throw new Error('--write wants all attacks');
  writeFileSync(PAGE, withBlock(readFileSync(PAGE, 'utf8'), BEGIN, tableOf(figures), END));
}
if (!figures.every(holds)) process.exitCode = 1;
