import { randomUUID } from 'node:crypto';
import { readHeaders, writeRequest, type Exchange } from './http-client.ts';

/** The servers the load program can speak to. */
export type ProductName = 'firstproof' | 'better-auth' | 'hello';

/** What a signed-in client holds: its header line, and a piece of text a right session answer contains. */
export interface Credential {
  readonly headerLine: string;
  readonly expected: string;
  readonly clientLine: string;
  /** Where sessions are renewed by a token of their own. */
  readonly refreshToken?: string;
}

/** Reads the code that was sent to `to` at or after `sentAfter` (milliseconds of the epoch). */
export type ReadCode = (exchange: Exchange, to: string, sentAfter: number) => Promise<string>;

/** What the account must be for the flow to count as right. */
export type Account = 'new' | 'returning' | 'either';

/** The same three steps in one product's own HTTP words. */
export interface Product {
  /** Sends a code, reads it, verifies it. Throws when any step answers anything but what it should. */
  signIn(
    exchange: Exchange,
    readCode: ReadCode,
    to: string,
    client: number,
    account: Account,
    headerLines?: readonly string[],
  ): Promise<Credential>;
  /** The request that asks whether a session is live. */
  sessionRequest(credential: Credential): string;
}

/** The header line of one of 16 million client addresses, as a reverse proxy would add it. */
export function clientLine(client: number): string {
  const n = client % 16_777_216;
  return `x-forwarded-for: 10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
}

function refuse(step: string, answer: { status: number; body: string }): never {
  throw new Error(`${step} answered ${answer.status}: ${answer.body.slice(0, 200)}`);
}

/** Firstproof: POST send-verification, the development inbox, POST verify-code; bearer session check. */
const firstproof: Product = {
  async signIn(exchange, readCode, to, client, account, headerLines = []) {
    const line = clientLine(client);
    const head = (): string[] => [
      line,
      ...headerLines.map((one) => one.replace('{unique}', () => randomUUID())),
    ];
    const address = to.startsWith('+') ? { phone: to } : { email: to };
    const sentAfter = Date.now();
    const sent = await exchange(writeRequest('POST', '/api/v1/auth/send-verification', head(), address));
    if (sent.status !== 200) refuse('send-verification', sent);
    const { verification_id } = JSON.parse(sent.body) as { verification_id: string };
    const verification_code = await readCode(exchange, to, sentAfter);
    const verified = await exchange(
      writeRequest('POST', '/api/v1/auth/verify-code', head(), { verification_id, verification_code }),
    );
    const right = account === 'either' ? [200, 201] : account === 'new' ? [201] : [200];
    if (!right.includes(verified.status)) refuse('verify-code', verified);
    const { access_token, refresh_token, user } = JSON.parse(verified.body) as {
      access_token: string;
      refresh_token: string;
      user: { id: string };
    };
    return {
      headerLine: `authorization: Bearer ${access_token}`,
      expected: `"${user.id}"`,
      clientLine: line,
      refreshToken: refresh_token,
    };
  },
  sessionRequest: (credential) =>
    writeRequest('GET', '/api/v1/auth/session', [credential.clientLine, credential.headerLine]),
};

/** Better Auth: the emailOTP plugin's routes; the session check carries the cookies its clients carry. */
const betterAuth: Product = {
  async signIn(exchange, readCode, to, client) {
    const line = clientLine(client);
    const sentAfter = Date.now();
    const sent = await exchange(
      writeRequest('POST', '/api/auth/email-otp/send-verification-otp', [line], {
        email: to,
        type: 'sign-in',
      }),
    );
    if (sent.status !== 200) refuse('send-verification-otp', sent);
    const otp = await readCode(exchange, to, sentAfter);
    const verified = await exchange(
      writeRequest('POST', '/api/auth/sign-in/email-otp', [line], { email: to, otp }),
    );
    if (verified.status !== 200) refuse('sign-in/email-otp', verified);
    const { user } = JSON.parse(verified.body) as { user: { id: string } };
    const cookies = readHeaders(verified.head, 'set-cookie').map((cookie) => cookie.split(';')[0]);
    return { headerLine: `cookie: ${cookies.join('; ')}`, expected: `"${user.id}"`, clientLine: line };
  },
  sessionRequest: (credential) =>
    writeRequest('GET', '/api/auth/get-session', [credential.clientLine, credential.headerLine]),
};

/** The bare route of bench/hello.ts, asked with the headers of a session check: only the work differs. */
const hello: Product = {
  signIn: () => Promise.reject(new Error('hello has no accounts')),
  sessionRequest: (credential) =>
    writeRequest('GET', '/hello', [credential.clientLine, credential.headerLine]),
};

/** Every product by its name. */
export const products: Readonly<Record<ProductName, Product>> = {
  firstproof,
  'better-auth': betterAuth,
  hello,
};
