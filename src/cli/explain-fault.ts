import { DatabaseNotConfigured } from '../db/databases.ts';
import { EmbeddedPostgresInUse } from '../db/embedded-postgres.ts';
import { UnknownSecret } from '../kernel/secrets.ts';
import { reachProblem } from './database-facts.ts';
import { CliError } from './errors.ts';

/** What the terminal shows of a fault, and the exit code. A stack is shown only of what nobody foresaw. */
export function explainFault(fault: unknown): { message: string; exitCode: number } {
  if (fault instanceof CliError) return { message: fault.message, exitCode: fault.exitCode };
  if (fault instanceof EmbeddedPostgresInUse || fault instanceof DatabaseNotConfigured) {
    return { message: fault.message, exitCode: 1 };
  }
  if (fault instanceof UnknownSecret) {
    const message =
      'FIRSTPROOF_SECRET is not the one that this database was made with. Use that one; ' +
      'to rotate, put the new one before it: FIRSTPROOF_SECRET=new,old';
    return { message, exitCode: 1 };
  }
  if (!(fault instanceof Error)) return { message: String(fault), exitCode: 1 };
  const { code, path, port, syscall } = fault as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') {
    return {
      message: `Port ${port} is taken. Stop the program that uses it, or choose another: PORT=3001`,
      exitCode: 1,
    };
  }
  if (code === 'EADDRNOTAVAIL') {
    return {
      message: 'HOST is no address of this machine. 127.0.0.1 is this machine alone, 0.0.0.0 all.',
      exitCode: 1,
    };
  }
  if (code === 'EACCES' && port !== undefined) {
    return { message: `Port ${port} needs more rights. Choose one above 1024: PORT=3000`, exitCode: 1 };
  }
  if (code === 'EACCES' && path !== undefined) {
    return { message: `${path} may not be read. Run this as the user of the server.`, exitCode: 1 };
  }
  // A file that is missing is no database that is away.
  const unreachable = code === 'ENOENT' && syscall !== 'connect' ? undefined : reachProblem(fault);
  if (unreachable !== undefined)
    return { message: `A database cannot be used: ${unreachable}.`, exitCode: 1 };
  return { message: fault.stack ?? fault.message, exitCode: 1 };
}
