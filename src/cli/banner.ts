export interface BannerFacts {
  url: string;
  database: string;
  apiKey: string;
  version: string;
  milliseconds: number;
  /** What nobody should overlook. */
  warnings: readonly string[];
}

/** What a newcomer sees first: where everything is, and three lines that sign somebody in. */
export function banner(facts: BannerFacts): string {
  const { url } = facts;
  const warnings = facts.warnings.map((warning) => `\n  !! ${warning}\n`).join('');
  return `
  Firstproof ${facts.version} · development mode · ready in ${(facts.milliseconds / 1000).toFixed(1)} s

  API        ${url}/api/v1
  Pages      ${url}/sign-in
  Inbox      ${url}/dev/inbox   (nothing is sent: every code lands here)
  Reference  ${url}/docs
  Tenants    default · us (+1) · uz (+998)
  Database   ${facts.database}
  API key    ${facts.apiKey}
${warnings}
  Sign somebody in: send a code, read it, prove it.

  curl ${url}/api/v1/auth/send-verification -H 'content-type: application/json' -d '{"phone":"+14155552671"}'
  curl '${url}/dev/messages?to=%2B14155552671&limit=1&wait=5'
  curl ${url}/api/v1/auth/verify-code -H 'content-type: application/json' -d '{"phone":"+14155552671","verification_code":"THE CODE"}'

  Ctrl-C stops it. In another terminal: npx firstproof --help

`;
}
