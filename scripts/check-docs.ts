/**
 * Holds the documentation: links lead somewhere, no path of one machine, the reference in step with the code.
 * Run: node scripts/check-docs.ts, or with --write to bring the reference up to date first.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { settings } from '../src/config/settings.ts';
import { errorCatalogue } from '../src/kernel/errors.ts';
import { withErrorsTable } from './errors-reference.ts';
import { isMain } from './is-main.ts';
import { listFiles } from './list-files.ts';
import { type DocumentedSetting, envExampleBreaches, withSettingsTable } from './settings-reference.ts';

const LINK = /!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s*(\S+)/gm;
const CODE = /^(```|~~~).*?^\1|`[^`\n]*`/gms;
const MACHINE_PATH = /(?<![\w./:-])(?:\/(?:home|Users|root|work|workspace)\/[\w.-]+|[A-Z]:\\Users\\\w+)/g;

/** One check of a page of the reference against the code: its findings, or none. With `write` it mends first. */
type ReferenceCheck = (root: string, write: boolean) => string[];

// The place to add the next one.
const REFERENCE_CHECKS: readonly ReferenceCheck[] = [checkConfiguration, checkErrors];

/**
 * Every breach in one page, each as `file:line docs: what`. `resolve` gives the text of a file of the project
 * by its path from the root, '' for a folder, undefined where there is nothing.
 */
export function findDocBreaches(
  path: string,
  text: string,
  resolve: (path: string) => string | undefined,
): string[] {
  const prose = text.replace(CODE, (code) => code.replace(/[^\n]/g, ' '));
  const at = (position: number): string => `${path}:${text.slice(0, position).split('\n').length} docs:`;
  const links = Array.from(prose.matchAll(LINK), (match) => {
    const broken = checkLink(path, match[1] ?? match[2] ?? '', (target) =>
      target === path ? text : resolve(target),
    );
    return broken ? [`${at(match.index)} ${broken}`] : [];
  });
  const machinePaths = Array.from(text.matchAll(MACHINE_PATH), (match) => {
    return `${at(match.index)} ${match[0]} is a path of one machine. Write it relative to the project.`;
  });
  return [...links.flat(), ...machinePaths];
}

/** The anchor that a heading gets on GitHub. */
export function headingAnchor(heading: string): string {
  const plain = heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase();
  return plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
}

function checkLink(
  path: string,
  link: string,
  resolve: (path: string) => string | undefined,
): string | undefined {
  if (/^(?:https?|mailto|tel):/.test(link)) return undefined;
  if (link.startsWith('/')) return `${link} is absolute. Link relatively.`;
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? path : posix.join(posix.dirname(path), decodeURI(file)).replace(/\/$/, '');
  const page = resolve(target);
  if (page === undefined) return `${link} leads nowhere (${target}).`;
  if (anchor === undefined || !target.endsWith('.md')) return undefined;
  const headings = page.replace(/^(```|~~~).*?^\1/gms, '').matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm);
  const known = Array.from(headings, (match) => headingAnchor(match[1] ?? ''));
  return known.includes(anchor) ? undefined : `${link}: ${target} has no heading #${anchor}.`;
}

function checkConfiguration(root: string, write: boolean): string[] {
  const path = 'docs/reference/configuration.md';
  const all: DocumentedSetting[] = Object.values(settings);
  const kept = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '# Configuration\n';
  const now = withSettingsTable(kept, all);
  if (write) writeFileSync(join(root, path), now);
  const breaches = envExampleBreaches(readFileSync(join(root, '.env.example'), 'utf8'), all);
  if (now === kept || write) return breaches;
  return [
    ...breaches,
    `${path}:1 docs: differs from src/config/settings.ts. Run: node scripts/check-docs.ts --write`,
  ];
}

function checkErrors(root: string, write: boolean): string[] {
  const path = 'docs/reference/errors.md';
  const kept = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '# Errors\n';
  const now = withErrorsTable(kept, errorCatalogue);
  if (write) writeFileSync(join(root, path), now);
  if (now === kept || write) return [];
  return [`${path}:1 docs: differs from src/kernel/errors.ts. Run: node scripts/check-docs.ts --write`];
}

function main(root: string, write: boolean): void {
  const resolve = (path: string): string | undefined => {
    if (path.startsWith('..') || !existsSync(join(root, path))) return undefined;
    return path.endsWith('.md') ? readFileSync(join(root, path), 'utf8') : '';
  };
  const breaches = REFERENCE_CHECKS.flatMap((check) => check(root, write));
  const pages = listFiles(root, ['.'], ['.md']);
  breaches.push(
    ...pages.flatMap((path) => findDocBreaches(path, readFileSync(join(root, path), 'utf8'), resolve)),
  );
  for (const breach of breaches) console.log(breach);
  console.log(`${pages.length} pages, ${breaches.length} breaches`);
  if (breaches.length > 0) process.exitCode = 1;
}

if (isMain(import.meta.filename)) main(dirname(import.meta.dirname), process.argv.includes('--write'));
