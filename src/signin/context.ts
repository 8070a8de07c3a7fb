import type { Caller } from '../audit/audit.ts';
import type { ChallengeAnswer, Challenges } from '../challenges/challenges.ts';
import type { Database } from '../db/database.ts';
import type { Log } from '../kernel/log.ts';
import type { CodeChecks, Delivery } from '../delivery/delivery.ts';
import type { AddressBudgets, CallerBuckets } from '../limits/limits.ts';
import type { Notices } from '../notices/notices.ts';
import type { Passwords } from '../passwords/passwords.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { TelegramLogin, TelegramLoginClient } from '../telegram/telegram.ts';
import type { TelegramProofs } from '../telegram-proofs/telegram-proofs.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { Tolls } from '../tolls/tolls.ts';
import type { Verifications } from '../verification/verification.ts';
import type { PlainSends } from './plain-send.ts';
import type { PlainSignIns } from './plain-sign-in.ts';

/** The tenants' Telegram bots, as far as a use case needs to know. */
export interface TelegramReach {
  /** Has the tenant a bot, be it a simulated one? */
  has(tenantId: string): boolean;
  /** Where people meet it; undefined without one, or before Telegram has told its name. */
  linkOf(tenantId: string): string | undefined;
}

/** What the use cases work with. */
export interface SignInContext {
  tenants: Tenants;
  databaseOf: (tenantId: string) => Database;
  verifications: Verifications;
  sessions: Sessions;
  delivery: Delivery;
  codeChecks: CodeChecks;
  /** Sends that need no judging, written together. */
  plainSends: PlainSends;
  /** Sign-ins that nothing unusual belongs to, likewise. */
  plainSignIns: PlainSignIns;
  budgets: AddressBudgets;
  buckets: CallerBuckets;
  challenges: Challenges;
  /** Sends one caller may cause in an hour; and how many of them before a challenge is put. */
  sendsPerCallerPerHour: number;
  freeSendsPerCallerPerHour: number;
  /** Wrong passwords for one identity, and by one caller, in an hour. */
  wrongPasswordsPerHour: number;
  wrongPasswordsPerCallerPerHour: number;
  /** Answers in an hour that tell one caller whether an address has an account. */
  explicitAnswersPerCallerPerHour: number;
  passwords: Passwords;
  notices: Notices;
  telegram: TelegramReach;
  telegramSignIn: TelegramSignIn;
  tolls: Tolls;
  log: Log;
  newId: () => string;
}

/** What signing in by Telegram works with. */
export interface TelegramSignIn {
  proofs: TelegramProofs;
  /** The token of the tenant's bot; undefined without a bot, and where it is simulated. */
  tokenOf: (tenantId: string) => string | undefined;
  /** Telegram's OpenID Connect login, and the tenant's client of it, where it has one. */
  login: TelegramLogin;
  loginClientOf: (tenantId: string) => TelegramLoginClient | undefined;
  /** Telegram's key for third parties; another one only in tests. */
  publicKey?: string;
  now: () => Date;
}

/**
 * What budgets count somebody in Telegram by, who has no address on the network that we know: the Telegram account, at
 * this tenant. A service of one tenant names whatever chats it likes, and must not use up what they have at another.
 */
export function telegramBucket(tenantId: string, telegramUserId: string): string {
  return `telegram:${tenantId}:${telegramUserId}`;
}

/** What every request tells beside its body. */
export interface RequestClues {
  caller: Caller;
  /** What it brings against a challenge. */
  challengeAnswer?: ChallengeAnswer | undefined;
  tenantHeader: string | undefined;
  host: string | undefined;
  acceptLanguage: string | undefined;
}
