import type { TestApp } from '../create-test-app.ts';

export interface Got {
  status: number;
  headers: Headers;
  text: string;
  cookies: Map<string, string>;
}

export interface Visitor {
  cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Got>;
  /** With the token of the page that was seen last. */
  post(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Got>;
  token(): string;
}

/** A browser as far as pages can tell: cookies, and what Sec-Fetch-Site says. */
export function createVisitor(app: TestApp, from: string): Visitor {
  const cookies = new Map<string, string>();
  let token = '';
  async function send(
    method: string,
    path: string,
    form?: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Got> {
    const response = await fetch(app.url + path, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        // Its length is then that of the text.
        'accept-encoding': 'identity',
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        'x-forwarded-for': from,
        'sec-fetch-site': 'same-origin',
        ...headers,
      },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      if (line.includes('Max-Age=0')) cookies.delete(pair.slice(0, at));
      else cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const text = await response.text();
    token = /name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? token;
    return { status: response.status, headers: response.headers, text, cookies };
  }
  return {
    cookies,
    get: (path: string, headers?: Record<string, string>) => send('GET', path, undefined, headers),
    post: (path: string, form: Record<string, string>, headers?: Record<string, string>) =>
      send('POST', path, { form_token: token, ...form }, headers),
    token: () => token,
  };
}
