import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { EmbeddedConnection } from '../embedded-postgres.ts';
import { keepPassword, SUPERUSER } from './cluster.ts';
import { findHome } from './home.ts';
import { findPostmaster } from './postmaster.ts';

/** The embedded PostgreSQL of a data directory, as a guest sees it: whoever runs it goes on owning it. */
export interface RunningEmbedded {
  pid: number;
  connection(database: string): EmbeddedConnection;
}

/** Whether a database was ever made for this data directory. */
export function hasEmbeddedCluster(dataDirectory: string): boolean {
  return existsSync(dataDirectory) && existsSync(clusterOf(realpathSync(dataDirectory)));
}

/**
 * Returns the server that some other process runs on a data directory, or undefined where none accepts connections.
 * Takes no ownership: the server may stop at any moment.
 */
export function connectToRunningEmbedded(dataDirectory: string): RunningEmbedded | undefined {
  if (!hasEmbeddedCluster(dataDirectory)) return undefined;
  const directory = realpathSync(dataDirectory);
  const running = findPostmaster(clusterOf(directory));
  if (!running?.ready) return undefined;
  const password = keepPassword(directory, true);
  const { pid, port } = running;
  const host = process.platform === 'win32' ? '127.0.0.1' : running.socketDirectory;
  return {
    pid,
    connection: (database) => ({ host, port, username: SUPERUSER, password, database }),
  };
}

function clusterOf(directory: string): string {
  return path.join(findHome(directory), 'postgres');
}
