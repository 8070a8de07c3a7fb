import { Type } from 'typebox';

/** Sites whose pages may call the API from a browser, beside the public URL and the tenant's hosts. */
export const allowedOriginsSchema = Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
  maxItems: 50,
  uniqueItems: true,
});

/** The scheme of an application's web view, such as capacitor://localhost. */
const APP_ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/localhost$/;
const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

/** What is wrong with these origins, by their place. */
export function allowedOriginIssues(origins: readonly string[] = []): { path: string; message: string }[] {
  return origins.flatMap((origin, index) => {
    const problem = originProblem(origin);
    return problem === undefined ? [] : [{ path: `/allowed_origins/${index}`, message: problem }];
  });
}

/** An origin is compared letter for letter, so it must be written as browsers send it (RFC 6454 6.2). */
function originProblem(origin: string): string | undefined {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const example = 'must be an origin, such as https://app.example.com';
  if (!url || origin.includes('*')) return `${example}: each one by itself, without *`;
  if (url.protocol === 'https:' || url.protocol === 'http:') {
    if (url.protocol === 'http:' && !LOCAL.includes(url.hostname)) {
      return 'must begin with https:// (http:// for localhost only)';
    }
    return url.origin === origin ? undefined : `must be written as browsers send it: ${url.origin}`;
  }
  return APP_ORIGIN.test(origin) ? undefined : example;
}
