import type { WaitingRegistration } from '../registrations/registrations.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { PasswordHolder } from '../users/users.ts';

/** By what somebody signs in: an address in canonical form, or a username. */
export interface Identifier {
  kind: 'phone' | 'email' | 'username';
  value: string;
  asEntered: string;
}

/** What was found behind the identifier, and whether the password fits it. */
export interface Attempt {
  tenant: Tenant;
  identifier: Identifier;
  holder: PasswordHolder | undefined;
  /** Registrations that wait for the address, where nobody has an account. */
  waiting: readonly WaitingRegistration[];
  fits: boolean;
  /** The one of `waiting` whose password was typed. */
  matching: WaitingRegistration | undefined;
  /** Wrong passwords left to this identity in this hour. */
  attemptsLeft: number;
}

/** Has the account been proved, and the address by which it is named? */
export function isVerified(identifier: Identifier, holder: PasswordHolder): boolean {
  return holder.is_verified && (identifier.kind === 'username' || holder.address_verified);
}
