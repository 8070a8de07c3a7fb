export interface BannerFacts {
  url: string;
  database: string;
  apiKey: string;
  version: string;
  milliseconds: number;
}

/** What a newcomer sees first: where everything is, and three lines that sign somebody in. */
export function banner(facts: BannerFacts): string {
  const { url } = facts;
  return `
  Firstproof ${facts.version} · development mode · ready in ${(facts.milliseconds / 1000).toFixed(1)} s

  API            ${url}/api/v1
  OpenAPI        ${url}/openapi.json
  Inbox          ${url}/dev/messages        every code that would have gone out
  Database       ${facts.database}
  Tenants        default · us (+1) · uz (+998)
  API key        ${facts.apiKey}

  Try it: send a code, read it in the inbox, prove it.

  curl -s ${url}/api/v1/auth/send-verification -H 'content-type: application/json' -d '{"phone":"+14155552671"}'
  curl -s '${url}/dev/messages?to=%2B14155552671&limit=1'
  curl -s ${url}/api/v1/auth/verify-code -H 'content-type: application/json' -d '{"phone":"+14155552671","verification_code":"THE CODE"}'

`;
}
