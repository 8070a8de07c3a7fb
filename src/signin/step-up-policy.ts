import type { ProofMethod } from '../sessions/sessions.ts';

/** What wants a recent proof before it is done. */
export type SensitiveChange = 'address' | 'password' | 'sessions' | 'username';

/** A proof counts for so long (ASVS 7.5.1, 7.5.3). */
export const PROOF_AGE_SECONDS = 300;

/**
 * Do these recent proofs allow the change? A code to an address of the account allows every one. The password is an
 * authenticator of its own level (NIST SP 800-63B-4, 2.1.3) and allows what it already protects, but not another
 * address: whoever guessed it would take the account over for good. An administrator's mailbox alone is not enough
 * (ASVS 6.3.6): it takes the phone or Telegram, or the mailbox and the password together.
 */
export function allowsChange(
  change: SensitiveChange,
  role: string,
  methods: readonly ProofMethod[],
): boolean {
  const has = (method: ProofMethod): boolean => methods.includes(method);
  const strong = has('phone') || has('telegram');
  if (role === 'admin') return strong || (has('email') && has('password'));
  return strong || has('email') || (change !== 'address' && has('password'));
}

/** Would one more proof by this method bring the change nearer? */
export function helps(
  change: SensitiveChange,
  role: string,
  method: ProofMethod,
  methods: readonly ProofMethod[],
  possible: readonly ProofMethod[],
): boolean {
  if (methods.includes(method)) return false;
  if (allowsChange(change, role, [...methods, method])) return true;
  return role === 'admin' && possible.includes('password') && method !== 'phone' && method !== 'telegram';
}
