import { textOf } from './context.ts';
import type { Visit } from './visit.ts';

/** Pages of ours that a sign-in may come back to. */
const OWN_PAGES = ['/account', '/account/devices'];

export type ReturnAddress = { ok: true; returnTo: string | undefined } | { ok: false };

/**
 * Where to go after a sign-in: an address that the tenant has registered, letter for letter, or one of these pages.
 * Nothing is parsed, joined or shortened: what two programs could read differently never matters (RFC 9700 4.11).
 */
export function readReturnAddress({ query, form, site }: Visit): ReturnAddress {
  const wish = form['return_to'] ?? query['return_to'];
  if (wish === undefined || wish === '') return { ok: true, returnTo: undefined };
  const text = textOf({ wish }, 'wish');
  const isKnown = site.tenant.policy.returnAddresses.includes(text) || OWN_PAGES.includes(text);
  return isKnown ? { ok: true, returnTo: text } : { ok: false };
}

/** The address as the browser is sent there: our own pages stand below the site. */
export function addressAfter({ site }: Pick<Visit, 'site'>, returnTo: string | undefined): string {
  if (returnTo === undefined) return `${site.base}/account`;
  return OWN_PAGES.includes(returnTo) ? site.base + returnTo : returnTo;
}

/** Where a form may lead besides here, for the page's own policy. */
export function outsideOf(returnTo: string | undefined): string | undefined {
  return returnTo === undefined || OWN_PAGES.includes(returnTo) ? undefined : returnTo;
}
