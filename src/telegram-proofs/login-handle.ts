import { isUuid } from '../kernel/id.ts';
import { openText, type Secrets } from '../kernel/secrets.ts';

/** A sign-in by Telegram's OpenID Connect login takes so long at most. */
export const LOGIN_LIFE_SECONDS = 600;

/** What the browser that began such a sign-in keeps: sealed, so that it can neither be read nor made. */
export interface BegunLogin {
  tenantId: string;
  /** Telegram refuses a long one. */
  state: string;
  nonce: string;
  verifier: string;
  redirectUri: string;
  /** Was the phone number asked for? */
  phone: boolean;
  /** Whose account it adds a Telegram account to; null: it signs in. */
  userId: string | null;
  /** Milliseconds. */
  expiresAt: number;
}

const PREFIX = 'fpo_';
const CONTEXT = 'telegram-login-handle';

/** Begins: every part is made of random bytes of its own (144, 144 and 256 bits). */
export function newLogin(
  randomBytes: (size: number) => Buffer,
  login: Pick<BegunLogin, 'tenantId' | 'redirectUri' | 'phone' | 'userId'> & { now: Date },
): BegunLogin {
  const { now, ...rest } = login;
  return {
    ...rest,
    state: randomBytes(18).toString('base64url'),
    nonce: randomBytes(18).toString('base64url'),
    verifier: randomBytes(32).toString('base64url'),
    expiresAt: now.getTime() + LOGIN_LIFE_SECONDS * 1000,
  };
}

export function writeLogin(secrets: Secrets, login: BegunLogin): string {
  return PREFIX + secrets.seal(JSON.stringify(login), CONTEXT).toString('base64url');
}

/** Opens a handle; undefined when it is none of ours. Whether it is over is told by `expiresAt`. */
export function readLogin(secrets: Secrets, text: string): BegunLogin | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const opened = openText(secrets, Buffer.from(text.slice(PREFIX.length), 'base64url'), CONTEXT);
  const login = opened === undefined ? undefined : (JSON.parse(opened) as BegunLogin);
  return login && isUuid(login.tenantId) ? login : undefined;
}
