import type { Issue } from '../kernel/errors.ts';
import type { Secrets } from '../kernel/secrets.ts';
import { checkPassword, hashPassword, isOutdated, schemeOf } from './hashing.ts';
import { LONGEST_PASSWORD, normalisePassword, passwordLength, type PasswordRules } from './policy.ts';
import { createWorkQueue, overloaded } from './queue.ts';
import { passwordIssues } from './strength.ts';

export type { PasswordRules };
export { overloaded, schemeOf };
export { hashingCapacity } from './queue.ts';

/** An address that a password waits for. */
export interface WaitingAddress {
  tenantId: string;
  kind: string;
  value: string;
}

/** Passwords: what is asked of them, and hashing that never starves the server. */
export interface Passwords {
  /** What speaks against a new password; `path` names the field. Empty when nothing does. */
  issues(
    password: string,
    rules: PasswordRules,
    about: readonly (string | null | undefined)[],
    path: string,
  ): Promise<Issue[]>;
  /** Could this be anybody's password, by its length? */
  isPossible(password: string): boolean;
  /** Is there room for another hash? Asked before anything else is spent on a request. */
  readonly hasRoom: boolean;
  /** The hash of a new password, salted at random. */
  hash(password: string): Promise<string | typeof overloaded>;
  /**
   * The hash of a password that waits for a proof. Its salt is derived from the address under the deployment's secret:
   * so the same password for the same address has the same hash, and the database alone can tell who is the same
   * holder, in the statement that writes.
   */
  hashWaiting(password: string, address: WaitingAddress): Promise<string | typeof overloaded>;
  /** Does it fit the stored hash? Null stands for nobody's: the same work is done, and nothing fits. */
  fits(password: string, hash: string | null): Promise<boolean | typeof overloaded>;
  /** Is this hash to be made anew at the next sign-in? */
  isOutdated(hash: string): boolean;
}

export interface PasswordsOptions {
  secrets: Secrets;
  /** Hashes under way at once: at most one a core. */
  concurrency: number;
  /** Hashes that may wait for their turn. */
  mostWaiting: number;
}

export function createPasswords(options: PasswordsOptions): Passwords {
  const { secrets } = options;
  const queue = createWorkQueue(options.concurrency, options.mostWaiting);
  return {
    issues: (password, rules, about, path) => passwordIssues(normalisePassword(password), rules, about, path),
    isPossible(password) {
      return password !== '' && passwordLength(normalisePassword(password)) <= LONGEST_PASSWORD;
    },
    get hasRoom() {
      return queue.hasRoom;
    },
    hash: (password) => queue.run(() => hashPassword(normalisePassword(password))),
    hashWaiting(password, { tenantId, kind, value }) {
      const salt = secrets.mac('password-salt', tenantId, kind, value).subarray(0, 16);
      return queue.run(() => hashPassword(normalisePassword(password), salt));
    },
    fits(password, hash) {
      const normal = normalisePassword(password);
      // A hash instead of a check for nobody: the same parameters, hence the same time (S22).
      if (hash === null) return queue.run(() => hashPassword(normal).then(() => false));
      return queue.run(() => checkPassword(normal, hash));
    },
    isOutdated,
  };
}
