const PLAIN_HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:]+\])$/;

/**
 * Is this hostname of a URL made of letters, digits, dots, dashes and underscores alone? A URL's host may also hold `;`, `,`, `*`
 * and quotes, and where a content security policy names it they would be words of the policy.
 */
export function isPlainHost(hostname: string): boolean {
  return PLAIN_HOST.test(hostname);
}
