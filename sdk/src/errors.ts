import type { ProofWay } from './answers.ts';
import type { Challenge } from './proof-of-work.ts';

/** Every code that a server may refuse with. A test compares this list with the server's own. */
export const errorCodes = [
  'INVALID_REQUEST',
  'WEAK_PASSWORD',
  'INVALID_CODE',
  'INVALID_CREDENTIALS',
  'ACCOUNT_NOT_VERIFIED',
  'TOKEN_INVALID',
  'TOKEN_EXPIRED',
  'SESSION_ENDED',
  'API_KEY_INVALID',
  'CALLBACK_FORGED',
  'CALLBACK_STALE',
  'ACCOUNT_DISABLED',
  'STEP_UP_REQUIRED',
  'SECOND_PROOF_REQUIRED',
  'REGISTRATION_CLOSED',
  'COUNTRY_NOT_ALLOWED',
  'ORIGIN_NOT_ALLOWED',
  'SCOPE_REQUIRED',
  'NOT_FOUND',
  'TENANT_NOT_FOUND',
  'VERIFICATION_NOT_FOUND',
  'ACCOUNT_NOT_FOUND',
  'LAST_IDENTITY',
  'ALREADY_REGISTERED',
  'TELEGRAM_CHAT_UNKNOWN',
  'IDEMPOTENCY_KEY_IN_USE',
  'IDEMPOTENCY_KEY_REUSED',
  'TELEGRAM_DATA_INVALID',
  'LINK_DENIED',
  'LINK_EXPIRED',
  'LINK_NOT_CONFIRMED',
  'CODE_EXPIRED',
  'TOO_MANY_ATTEMPTS',
  'RESEND_TOO_SOON',
  'PROOF_OF_WORK_REQUIRED',
  'RATE_LIMITED',
  'INTERNAL',
  'CHANNEL_UNAVAILABLE',
  'OVERLOADED',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** What an error answer tells beside its sentence; durations are whole seconds. */
export interface ErrorDetails {
  attempts_left?: number;
  retry_after?: number;
  resend_in?: number;
  expires_in?: number;
  channel?: string;
  next_action?: string;
  verification_id?: string;
  bot_link?: string;
  /** PROOF_OF_WORK_REQUIRED: solved by the client itself, once; and the CAPTCHA beside it. */
  challenge?: Challenge;
  captcha?: { provider: string; site_key: string };
  /** SECOND_PROOF_REQUIRED: what `secondProof` takes, and the ways that it may name. */
  second_proof_token?: string;
  ways?: ProofWay[];
  issues?: { path: string; message: string }[];
}

/** The server refused. `code` is of the catalogue; one that this client is too old to know is kept as it came. */
export class FirstproofError extends Error {
  override readonly name = 'FirstproofError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly details: ErrorDetails;
  constructor(code: ErrorCode, status: number, message: string, details: ErrorDetails) {
    super(message);
    this.code = code;
    this.status = status;
    this.details = details;
  }
}
