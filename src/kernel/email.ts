import { domainToASCII, domainToUnicode } from 'node:url';

export type ParsedEmail = {
  ok: true;
  /** The canonical form, all lower case: what uniqueness and budgets go by. */
  email: string;
  /** The same mailbox with the local part's case as it was typed: what mail is sent to once it is stored. */
  asEntered: string;
};

export type EmailRefusal = {
  ok: false;
  reason: 'syntax' | 'too_long' | 'unsupported_characters' | 'invalid_domain';
};

export type EmailResult = ParsedEmail | EmailRefusal;

// RFC 5321 4.5.3.1: 64 octets before the @, and a path of 256 with its angle brackets.
const LONGEST_LOCAL_PART = 64;
const LONGEST_ADDRESS = 254;

// RFC 5322 dot-atom. Quoted strings and comments are legal and refused: no mailbox of today needs them, and
// every parser on the way reads them differently.
const DOT_ATOM = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i;
const ASCII = /^[\x20-\x7e]*$/;
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const DOMAIN = new RegExp(`^(?:${LABEL}\\.)+${LABEL}$`);
// A last label of digits only, or 0x…, is an IPv4 address to a resolver.
const NUMERIC_LAST_LABEL = /\.(?:\d+|0x[0-9a-f]*)$/;
const TYPED_DOMAIN = /^[a-z0-9.\-\u0080-\u{10ffff}]+$/iu;

const refuse = (reason: EmailRefusal['reason']): EmailRefusal => ({ ok: false, reason });

/**
 * Reads an e-mail address into its one canonical form. ASCII spaces around it are dropped.
 *
 * The local part is ASCII only, so that no letter can fold into another one (the Kelvin sign into k).
 * Text that NFKC would change is refused (a full-width @ or e: GHSA-7rqj-j65f-68wh). An international
 * domain becomes its ASCII form (UTS 46). Gmail's dots and plus tags are kept: folding them is that
 * provider's rule, not ours.
 * Limits of RFC 5321: 64 characters before the @, 254 in all. IP literals and one-label hosts are refused.
 */
export function parseEmail(input: string): EmailResult {
  // Generous before the conversion of the domain, so that a long text costs nothing; exact afterwards.
  if (input.length > LONGEST_ADDRESS * 2) return refuse('too_long');
  const typed = input.replace(/^ +| +$/g, '');
  const isAscii = ASCII.test(typed);
  if (!isAscii && typed.normalize('NFKC') !== typed) return refuse('unsupported_characters');

  const at = typed.lastIndexOf('@');
  if (at < 1 || at === typed.length - 1) return refuse('syntax');
  const localPart = typed.slice(0, at);
  if (!isAscii && !ASCII.test(localPart)) return refuse('unsupported_characters');
  if (!DOT_ATOM.test(localPart)) return refuse('syntax');
  if (localPart.length > LONGEST_LOCAL_PART) return refuse('too_long');

  const domain = canonicalDomain(typed.slice(at + 1));
  if (domain === undefined) return refuse('invalid_domain');
  if (at + 1 + domain.length > LONGEST_ADDRESS) return refuse('too_long');
  return { ok: true, email: `${localPart.toLowerCase()}@${domain}`, asEntered: `${localPart}@${domain}` };
}

/**
 * Shows a canonical address to somebody who may not be its owner: `a•••@example.com`.
 * Leaks the domain and one letter, none where the local part has fewer than three; never its length.
 */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 1) return '•••';
  return `${at < 3 ? '' : email.slice(0, 1)}•••${email.slice(at)}`;
}

function canonicalDomain(typed: string): string | undefined {
  // domainToASCII reads its input as the host of a URL: percent signs, slashes and colons would be acted on.
  if (!TYPED_DOMAIN.test(typed)) return undefined;
  const lowered = typed.toLowerCase();
  const isInternational = !ASCII.test(typed) || lowered.includes('xn--');
  const domain = isInternational ? domainToASCII(typed) : lowered;
  // An xn-- label that decodes to nothing names no domain that could be registered.
  if (isInternational && domainToUnicode(domain).includes('xn--')) return undefined;
  return DOMAIN.test(domain) && !NUMERIC_LAST_LABEL.test(domain) ? domain : undefined;
}
