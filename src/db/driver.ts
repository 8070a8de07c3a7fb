import { registerHooks } from 'node:module';
import type Postgres from 'postgres';

/**
 * Two corrections to postgres.js 3.4.9 (its issues 1154 and 1208; docs/decisions/0010-driver-corrections.md). A write
 * that was scheduled when its connection closes either throws where nobody can catch it, which ends the process, or
 * leaves the connection unable to write ever again. Every restart of PostgreSQL under load is such a moment.
 */
const CORRECTIONS: readonly [string, string][] = [
  [
    'const x = socket.write(chunk, fn)\n',
    `if (socket === null) {
      chunk = nextWriteTimer = null
      error(Errors.connection('CONNECTION_CLOSED', options, socket))
      return false
    }
    const x = socket.write(chunk, fn)\n`,
  ],
  [
    'incomings = null\n    clearImmediate(nextWriteTimer)\n',
    'incomings = null\n    clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null\n',
  ],
];

/** The source with every correction made. Throws when one does not fit: the driver is another than was read. */
export function corrected(source: string): string {
  return CORRECTIONS.reduce((text, [wrong, right]) => {
    if (text.split(wrong).length !== 2) {
      throw new Error('postgres.js is not the version that src/db/driver.ts corrects: look at both again');
    }
    return text.replace(wrong, () => right);
  }, source);
}

const isDriver = (url: string): boolean => url.includes('/postgres/src/');

// Under addresses of its own, so that it does not matter who imported the package before.
const hooks = registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    return isDriver(resolved.url) ? { ...resolved, url: `${resolved.url}?corrected` } : resolved;
  },
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith('/connection.js?corrected')) return loaded;
    const { source } = loaded;
    const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString();
    return { ...loaded, source: corrected(text) };
  },
});

/** Opens a pool, as the driver's own default export does. For its types, import those of the package. */
export const { default: connectPostgres } = (await import('postgres')) as { default: typeof Postgres };
hooks.deregister();
