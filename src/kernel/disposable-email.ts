import { disposableEmailBlocklistSet } from 'disposable-email-domains-js';

let domains: ReadonlySet<string> | undefined;

/**
 * Is this mailbox one of those that anybody opens for ten minutes? By a list of domains, those below them included.
 * The list is read at the first question: whoever never asks pays nothing for it.
 * @param email in its canonical form
 */
export function isDisposableEmail(email: string): boolean {
  domains ??= disposableEmailBlocklistSet();
  let domain = email.slice(email.lastIndexOf('@') + 1);
  for (;;) {
    if (domains.has(domain)) return true;
    const dot = domain.indexOf('.');
    if (dot < 0) return false;
    domain = domain.slice(dot + 1);
  }
}
