import assert from 'node:assert/strict';
import type { TestApp } from '../create-test-app.ts';

export interface Got {
  status: number;
  headers: Headers;
  text: string;
}

/** A browser as far as pages can tell: cookies, the form the last page had, and what Sec-Fetch-Site says. */
export interface Visitor {
  readonly cookies: ReadonlyMap<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Got>;
  post(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Got>;
  /** The form token of the last page. */
  token(): string;
}

/** @param from the client's address: who sends much from one address is held up */
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
        cookie: cookieHeader(cookies),
        'x-forwarded-for': from,
        'sec-fetch-site': 'same-origin',
        ...headers,
      },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
    }
    const text = await response.text();
    token = /name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? token;
    return { status: response.status, headers: response.headers, text };
  }
  return {
    cookies,
    get: (path, headers) => send('GET', path, undefined, headers),
    post: (path, form, headers) => send('POST', path, { form_token: token, ...form }, headers),
    token: () => token,
  };
}

export function cookieHeader(cookies: ReadonlyMap<string, string>): string {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}

/** Signs an address in by the hosted pages; the answer to its code. */
export async function signInByPages(
  app: TestApp,
  visitor: Visitor,
  email: string,
  returnTo?: string,
): Promise<Got> {
  const query = returnTo === undefined ? '' : `&return_to=${encodeURIComponent(returnTo)}`;
  await visitor.get(`/sign-in?with=email&another=1${query}`);
  const form = { with: 'email', email, ...(returnTo === undefined ? {} : { return_to: returnTo }) };
  const sent = await visitor.post('/sign-in', form);
  assert.equal(sent.status, 303, sent.text.slice(0, 3000));
  const path = sent.headers.get('location') ?? '';
  const flow = new URL(path, app.url).searchParams.get('flow') ?? '';
  await visitor.get(path);
  return visitor.post('/verify', { flow, code: await app.code(email) });
}
