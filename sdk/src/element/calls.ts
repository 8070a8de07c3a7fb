import type { SignedIn, VerificationSent } from '../answers.ts';
import type { Transport } from '../transport.ts';

export type Way = 'phone' | 'email' | 'telegram' | 'username';

/** What `GET /api/v1/auth/ways` tells of the tenant. */
export interface Ways {
  tenant: { slug: string; name: string };
  locale: string;
  registration: 'open' | 'closed';
  by_code: Way[];
  by_password: Way[];
  by_telegram_link: boolean;
  phone_prefixes: string[];
  /** What a sign-up asks for; null where new accounts are not open. Servers before it tell nothing. */
  sign_up?: { required_fields: string[]; custom_fields: Property | null } | null;
  password_min_length?: number | null;
}

/** The part of a JSON Schema that says how a value is asked for. */
export interface Property {
  type?: unknown;
  title?: unknown;
  titles?: unknown;
  description?: unknown;
  enum?: unknown;
  format?: unknown;
  maxLength?: unknown;
  properties?: unknown;
  required?: unknown;
  items?: unknown;
}

/** What somebody types to sign up, in the fields of `register`. */
export type Registration = Readonly<Record<string, unknown>>;

/** A link into Telegram as the browser that began it holds it. */
export interface TelegramLink {
  link_id: string;
  url: string;
  match_number: string;
  poll_after: number;
}

export type Style = 'jwt' | 'opaque';

/** The element's calls, by their names on the server. */
export interface Calls {
  ways(): Promise<Ways>;
  send(address: Record<string, string>, locale: string): Promise<VerificationSent>;
  resend(verificationId: string): Promise<VerificationSent>;
  register(typed: Registration, locale: string): Promise<VerificationSent>;
  forgot(address: Record<string, string>, locale: string): Promise<VerificationSent>;
  /** The code of a forgotten password is answered with a reset token in place of a session. */
  verify(verificationId: string, code: string): Promise<SignedIn>;
  reset(resetToken: string, newPassword: string): Promise<SignedIn>;
  login(by: Record<string, string>): Promise<SignedIn>;
  /** An address is sent a code, which `verify` takes; the other ways sign in. */
  secondProof(
    token: string,
    by: { identity_id: string } | { password: string } | { new_account: true },
    locale: string,
  ): Promise<SignedIn | VerificationSent>;
  beginLink(): Promise<TelegramLink>;
  /** Answers when the link moves on from `seen`, or after a while. */
  linkState(linkId: string, seen: string): Promise<{ state: string }>;
  completeLink(linkId: string): Promise<SignedIn>;
}

const AUTH = '/api/v1/auth';
const device = { kind: 'browser' };

export function createCalls(call: Transport, style: Style): Calls {
  const post = <T>(path: string, body: object, idempotent = false): Promise<T> =>
    call('POST', AUTH + path, { body, idempotent });
  const link = (id: string): string => `/telegram/links/${encodeURIComponent(id)}`;
  return {
    ways: () => call('GET', `${AUTH}/ways`),
    send: (address, locale) => post('/send-verification', { ...address, locale }, true),
    register: (typed, locale) => post('/register', { ...typed, locale }, true),
    forgot: (address, locale) => post('/forgot-password', { ...address, locale }, true),
    reset: (token, new_password) =>
      call('POST', `${AUTH}/reset-password`, { token, body: { new_password, device, style } }),
    resend: (verification_id) => post('/resend-otp', { verification_id }, true),
    verify: (verification_id, code) => post('/verify-code', { verification_id, code, device, style }, true),
    login: (by) => post('/login', { ...by, device, style }, true),
    secondProof: (token, by, locale) => post('/second-proof', { token, ...by, locale, device, style }),
    beginLink: () => post('/telegram/links', {}),
    linkState: (id, seen) => call('GET', `${AUTH}${link(id)}?wait=20&seen=${seen}`),
    completeLink: (id) => post(`${link(id)}/complete`, { device, style }),
  };
}
