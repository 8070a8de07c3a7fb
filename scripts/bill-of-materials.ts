/**
 * Holds docs/reference/bill-of-materials.cdx.json in step with the lock file: what `npm ci --omit=dev` installs, by
 * name, version, hash and licence, and what needs what (CycloneDX 1.6).
 * Run: node scripts/bill-of-materials.ts, or with --write to bring the file up to date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMain } from './is-main.ts';

interface LockedPackage {
  readonly name?: string;
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export type LockedPackages = Readonly<Record<string, LockedPackage>>;

const MODULES = 'node_modules/';

/** The bill of a lock file. The same lock file always gives the same bill: nothing in it tells when it was made. */
export function billOf(packages: LockedPackages) {
  const root = packages[''];
  const installed = Object.entries(packages).filter(([path, { dev, link }]) => path !== '' && !dev && !link);
  const components = new Map(
    installed.map(([path, locked]) => [
      refOf(path, locked),
      {
        type: 'library',
        'bom-ref': refOf(path, locked),
        name: nameOf(path, locked),
        version: locked.version ?? '',
        scope: locked.optional ? 'optional' : 'required',
        ...(locked.integrity ? { hashes: [hashOf(locked.integrity)] } : {}),
        ...licensesOf(locked.license),
        purl: purlOf(path, locked),
      },
    ]),
  );
  const needs = new Map<string, Set<string>>();
  for (const [path, locked] of [['', root ?? {}] as const, ...installed]) {
    const known = needs.get(refOf(path, locked)) ?? new Set();
    needs.set(refOf(path, locked), known);
    for (const name of Object.keys({ ...locked.dependencies, ...locked.optionalDependencies })) {
      const found = placeOf(packages, path, name);
      if (found !== undefined) known.add(refOf(found, packages[found] ?? {}));
    }
  }
  const byRef = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number =>
    left < right ? -1 : 1;
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': refOf('', root ?? {}),
        name: nameOf('', root ?? {}),
        version: root?.version ?? '',
        ...licensesOf(root?.license),
        purl: purlOf('', root ?? {}),
      },
    },
    components: [...components].sort(byRef).map(([, component]) => component),
    dependencies: [...needs]
      .sort(byRef)
      .map(([ref, dependsOn]) => ({ ref, dependsOn: [...dependsOn].sort() })),
  };
}

function nameOf(path: string, { name }: LockedPackage): string {
  return name ?? path.slice(path.lastIndexOf(MODULES) + MODULES.length);
}

function refOf(path: string, locked: LockedPackage): string {
  return `${nameOf(path, locked)}@${locked.version ?? ''}`;
}

/** https://github.com/package-url/purl-spec */
function purlOf(path: string, locked: LockedPackage): string {
  return `pkg:npm/${refOf(path, locked).replace(/^@/, '%40')}`;
}

/** Subresource integrity has base64, CycloneDX hexadecimal. */
function hashOf(integrity: string): { alg: string; content: string } {
  const [algorithm = '', digest = ''] = integrity.split('-');
  return { alg: algorithm.replace(/^sha/, 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') };
}

function licensesOf(license: string | undefined) {
  if (license === undefined) return {};
  return { licenses: [/[ (]/.test(license) ? { expression: license } : { license: { id: license } }] };
}

/** Where a package finds another: in its own folder, else in one above. */
function placeOf(packages: LockedPackages, from: string, name: string): string | undefined {
  for (let place: string | undefined = from; place !== undefined; place = above(place)) {
    const path = `${place === '' ? '' : `${place}/`}${MODULES}${name}`;
    const found = packages[path];
    if (found && !found.link) return path;
  }
  return undefined;
}

function above(place: string): string | undefined {
  if (place === '') return undefined;
  const end = place.lastIndexOf(`/${MODULES}`);
  return end === -1 ? '' : place.slice(0, end);
}

function main(root: string, shouldWrite: boolean): void {
  const file = join(root, 'docs/reference/bill-of-materials.cdx.json');
  const lockfile = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: LockedPackages;
  };
  const bill = billOf(lockfile.packages);
  const now = `${JSON.stringify(bill, null, 2)}\n`;
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const nameless = bill.components.filter(({ hashes, purl }) => !hashes && !purl.includes('%40firstproof/'));
  for (const { name } of nameless) console.log(`${name}: no hash in package-lock.json. Run npm install.`);
  if (nameless.length > 0) process.exitCode = 1;
  if (shouldWrite) {
    writeFileSync(file, now);
    console.log(`${bill.components.length} components written`);
  } else if (now === kept) {
    console.log(`the bill of materials is in step (${bill.components.length} components)`);
  } else {
    console.log('docs/reference/bill-of-materials.cdx.json is not what package-lock.json says.');
    console.log('Look at what was added, then run: node scripts/bill-of-materials.ts --write');
    process.exitCode = 1;
  }
}

if (isMain(import.meta.filename)) main(dirname(import.meta.dirname), process.argv.includes('--write'));
