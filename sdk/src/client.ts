import type { SignedIn, Tokens, User, VerificationSent } from './answers.ts';
import { FirstproofError } from './errors.ts';
import { type TelegramWays, telegramWays } from './telegram.ts';
import { createTransport, timer, type TransportOptions } from './transport.ts';

export type { AuthState, ProofWay, Session, SignedIn, Tokens, User, VerificationSent } from './answers.ts';
export { type ErrorCode, errorCodes, type ErrorDetails, FirstproofError } from './errors.ts';
export type { TelegramLink, TelegramLinkState, TelegramLogin, TelegramWays } from './telegram.ts';
export type { Captcha, TransportOptions } from './transport.ts';

/** What somebody types to sign up; `custom_fields` by the tenant's schema. */
export type Registration = ({ email: string } | { phone: string }) & {
  password?: string;
  first_name?: string;
  last_name?: string;
  username?: string;
  custom_fields?: Record<string, unknown>;
  locale?: string;
  /** Of an earlier answer, to correct what was typed. */
  verification_id?: string;
};

export type Address = { phone: string } | { email: string } | { telegram_user_id: string | number };

export interface ClientOptions extends TransportOptions {
  /** Tokens of an earlier sign-in. */
  tokens?: Tokens;
  /** Called with each new pair, and with undefined when the session is over: keep them where you keep secrets. */
  onTokens?: (tokens: Tokens | undefined) => void;
}

export interface Client {
  sendVerification(to: Address & { channel?: string; locale?: string }): Promise<VerificationSent>;
  /** Keeps what was typed until its code is proved: there is no account before. */
  register(typed: Registration): Promise<VerificationSent>;
  resend(verificationId: string): Promise<VerificationSent>;
  /** Proves and signs in; the client holds the tokens from then on. */
  verifyCode(proof: {
    verification_id: string;
    code: string;
    first_name?: string;
    last_name?: string;
    style?: 'jwt' | 'opaque';
  }): Promise<SignedIn>;
  /**
   * After SECOND_PROOF_REQUIRED, with the token of its details and one of its ways. Only a password and a new account
   * sign in at once; to an address a code is sent, which `verifyCode` takes.
   */
  secondProof(
    by: { token: string; locale?: string } & (
      | { identity_id: string }
      | { password: string }
      | { new_account: true }
    ),
  ): Promise<SignedIn | VerificationSent>;
  login(by: { email?: string; phone?: string; username?: string; password: string }): Promise<SignedIn>;
  /** The signed-in user; refreshes once where the access token has expired. */
  me(): Promise<User>;
  /** Ends the session; forgets the tokens whatever the server answers. */
  logout(scope?: 'this' | 'others' | 'all'): Promise<void>;
  /** Signing in by what Telegram says. */
  readonly telegram: TelegramWays;
  readonly tokens: Tokens | undefined;
}

/** A client of one person. */
export function createClient(options: ClientOptions): Client {
  const call = createTransport(options);
  let tokens = options.tokens;
  let refreshing: Promise<void> | undefined;

  function keep(next: Tokens | undefined): void {
    tokens = next;
    options.onTokens?.(next);
  }

  /** One at a time: a refresh token works once, and two that use it at once would look like theft. */
  function refresh(): Promise<void> {
    refreshing ??= renew().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  async function renew(): Promise<void> {
    try {
      keep(
        await call<Tokens>('POST', '/api/v1/auth/refresh', {
          body: { refresh_token: tokens?.refresh_token },
        }),
      );
    } catch (fault) {
      if (fault instanceof FirstproofError && fault.status === 401) keep(undefined);
      throw fault;
    }
  }

  async function signedIn<T extends SignedIn | VerificationSent>(answer: Promise<T>): Promise<T> {
    const done = await answer;
    if ('access_token' in done) keep(done);
    return done;
  }

  async function withToken<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    const used = tokens?.access_token;
    try {
      return await call<T>(method, path, { token: used, body });
    } catch (fault) {
      const isExpired = fault instanceof FirstproofError && fault.code === 'TOKEN_EXPIRED';
      if (!isExpired || tokens?.refresh_token === undefined) throw fault;
      // Another call may have refreshed while this one was on its way.
      if (tokens.access_token === used) await refresh();
      return call<T>(method, path, { token: tokens?.access_token, body });
    }
  }

  return {
    sendVerification: (body) => call('POST', '/api/v1/auth/send-verification', { body, idempotent: true }),
    register: (body) => call('POST', '/api/v1/auth/register', { body, idempotent: true }),
    resend: (verification_id) =>
      call('POST', '/api/v1/auth/resend-otp', { body: { verification_id }, idempotent: true }),
    verifyCode: (body) => signedIn(call('POST', '/api/v1/auth/verify-code', { body, idempotent: true })),
    secondProof: (body) => signedIn(call('POST', '/api/v1/auth/second-proof', { body })),
    login: (body) => signedIn(call('POST', '/api/v1/auth/login', { body, idempotent: true })),
    async me() {
      return (await withToken<{ user: User }>('GET', '/api/v1/auth/me')).user;
    },
    async logout(scope = 'this') {
      await withToken('POST', '/api/v1/auth/logout', { scope });
      if (scope !== 'others') keep(undefined);
    },
    telegram: telegramWays(call, signedIn, options.wait ?? timer),
    get tokens() {
      return tokens;
    },
  };
}
