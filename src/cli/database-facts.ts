import { type Database, isDatabaseUnavailable } from '../db/database.ts';

/** What a PostgreSQL tells of itself, as far as we depend on it. */
export interface DatabaseFacts {
  name: string;
  /** As PostgreSQL writes it, such as "16.4". */
  version: string;
  /** 150000 is 15.0. */
  versionNumber: number;
  /** The settings without which an acknowledged write may be lost. */
  durability: { fsync: string; full_page_writes: string; synchronous_commit: string };
  maxConnections: number;
  /** The same for all databases of one server. */
  server: string;
  /** How far the database's clock is ahead of this machine's, in seconds. */
  clockAheadSeconds: number;
}

export type DatabaseLook = { ok: true; facts: DatabaseFacts } | { ok: false; name: string; problem: string };

/** Looks at a database. A fault that the operator can mend comes back as a sentence. */
export async function lookAtDatabase(database: Database): Promise<DatabaseLook> {
  try {
    // The first query pays for the connection, and would make the clocks seem to differ.
    await database.sql`select 1`;
    const before = Date.now();
    const [row] = await database.sql`
      select clock_timestamp() as at, current_setting('server_version') as version,
        current_setting('server_version_num')::int as version_number,
        current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
        current_setting('synchronous_commit') as synchronous_commit,
        current_setting('max_connections')::int as max_connections,
        pg_postmaster_start_time()::text || ' ' || current_setting('port') as server`;
    const middle = (before + Date.now()) / 2;
    const facts = row as Record<string, unknown>;
    return {
      ok: true,
      facts: {
        name: database.name,
        version: String(facts['version']).split(' ')[0] ?? '',
        versionNumber: Number(facts['version_number']),
        durability: {
          fsync: String(facts['fsync']),
          full_page_writes: String(facts['full_page_writes']),
          synchronous_commit: String(facts['synchronous_commit']),
        },
        maxConnections: Number(facts['max_connections']),
        server: String(facts['server']),
        clockAheadSeconds: ((facts['at'] as Date).getTime() - middle) / 1000,
      },
    };
  } catch (fault) {
    const problem = reachProblem(fault);
    if (problem === undefined) throw fault;
    return { ok: false, name: database.name, problem };
  }
}

/** The end of the sentence "Database … cannot be used: …", or undefined for a fault of another kind. */
export function reachProblem(fault: unknown): string | undefined {
  const { code, message } = fault as { code?: unknown; message?: unknown };
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens at its address. Start PostgreSQL, or correct the address';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name of its address is not known. Correct the address';
    case 'CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return 'it does not answer. Look at the network and firewall between here and there';
    case '28P01':
    case '28000':
      return 'it refuses the user or the password. Correct the address, or pg_hba.conf';
    case '3D000':
      return 'the server has no database of this name. Make it with: createdb';
    case '53300':
      return 'all of its connections are taken. Raise max_connections';
    case '42501':
      return `the user lacks a right: ${String(message)}`;
    default:
      return isDatabaseUnavailable(fault) ? `it is away (${String(code)})` : undefined;
  }
}
