import type { Clock } from '../kernel/clock.ts';
import { createDatabase, type Database, type DatabaseAddress } from './database.ts';

/** The databases of this deployment: the control one, and one for each market that keeps its rows apart. */
export interface Databases {
  /** Tenants, API keys, and the rows of each tenant that names no database of its own. */
  readonly control: Database;
  /** The database a tenant's rows live in: null is the control one. Throws for a name nobody configured. */
  of(name: string | null): Database;
  all(): readonly Database[];
  close(): Promise<void>;
}

export interface DatabasesOptions {
  control: DatabaseAddress;
  /** By the name that tenants refer to, usually the market's slug. */
  markets: ReadonlyMap<string, DatabaseAddress>;
  clock: Clock;
  maxConnections: number;
  prepare: boolean;
}

/** A tenant names a database that the configuration does not. */
export class DatabaseNotConfigured extends Error {
  constructor(name: string) {
    super(
      `No database is configured under the name "${name}". ` +
        `Add ${name}=postgres://… to FIRSTPROOF_DATABASES, or change the tenant's database.`,
    );
    this.name = 'DatabaseNotConfigured';
  }
}

/** Opens a pool for each database. Nothing is connected before the first query. */
export function createDatabases(options: DatabasesOptions): Databases {
  const open = (name: string, address: DatabaseAddress): Database =>
    createDatabase({
      name,
      address,
      clock: options.clock,
      maxConnections: options.maxConnections,
      prepare: options.prepare,
    });
  const control = open('control', options.control);
  const markets = new Map([...options.markets].map(([name, address]) => [name, open(name, address)]));
  const all = [control, ...markets.values()];
  return {
    control,
    of(name) {
      if (name === null) return control;
      const market = markets.get(name);
      if (!market) throw new DatabaseNotConfigured(name);
      return market;
    },
    all: () => all,
    close: async () => {
      await Promise.all(all.map((database) => database.close()));
    },
  };
}

/**
 * Do all of them answer, within a second? Those who ask while it is being looked share one look: it is anybody's question
 * and answered however much there is to do, and a flood of it must neither queue up before the statements of others
 * nor make the databases seem away.
 */
export function createReadiness(databases: Pick<Databases, 'all'>): () => Promise<boolean> {
  let underWay: Promise<boolean> | undefined;
  const look = async (): Promise<boolean> => {
    try {
      await Promise.all(databases.all().map((database) => database.ping(1000)));
      return true;
    } catch {
      return false;
    } finally {
      underWay = undefined;
    }
  };
  return () => (underWay ??= look());
}
