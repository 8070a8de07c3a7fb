/**
 * The closed catalogue of what Firstproof may refuse, with the HTTP status and the public sentence of each.
 * The cause of a fault stays private (logs); only these words leave the server.
 */
export const errorCatalogue = {
  INVALID_REQUEST: { status: 400, message: 'The request is not valid. See issues for what to correct.' },
  WEAK_PASSWORD: {
    status: 400,
    message: 'This password is too easy to guess. Choose a longer or less common one.',
  },
  INVALID_CODE: { status: 401, message: 'This code is not right. Check it and try again.' },
  INVALID_CREDENTIALS: { status: 401, message: 'The sign-in details are not right.' },
  ACCOUNT_NOT_VERIFIED: {
    status: 401,
    message: 'Account not verified. Please verify your email before signing in.',
  },
  TOKEN_INVALID: { status: 401, message: 'The token is missing or not valid. Sign in again.' },
  TOKEN_EXPIRED: { status: 401, message: 'The token has expired. Refresh it or sign in again.' },
  SESSION_ENDED: { status: 401, message: 'This session has ended. Sign in again.' },
  API_KEY_INVALID: { status: 401, message: 'The API key is missing or not valid.' },
  TELEGRAM_DATA_INVALID: {
    status: 401,
    message: 'Telegram did not sign this data for us, or it is too old. Open the app from Telegram again.',
  },
  LINK_DENIED: { status: 403, message: 'This sign-in was denied in Telegram.' },
  CALLBACK_FORGED: { status: 401, message: 'This report is not signed by the provider it names.' },
  CALLBACK_STALE: { status: 403, message: 'This report was signed too long ago.' },
  ACCOUNT_DISABLED: { status: 403, message: 'This account has been closed by an administrator.' },
  STEP_UP_REQUIRED: { status: 403, message: 'Prove it is you again before this change.' },
  SECOND_PROOF_REQUIRED: {
    status: 403,
    message:
      'This account has not been used for a long time. Prove that it is yours in one more way, or begin a new one.',
  },
  REGISTRATION_CLOSED: { status: 403, message: 'New accounts are not open here.' },
  ORIGIN_NOT_ALLOWED: {
    status: 403,
    message:
      'Pages of this site may not call the API. Its operator names them in the tenant’s allowed_origins.',
  },
  COUNTRY_NOT_ALLOWED: { status: 403, message: 'Phone numbers of this country are not accepted here.' },
  SCOPE_REQUIRED: { status: 403, message: 'This API key does not carry the scope that this call needs.' },
  NOT_FOUND: { status: 404, message: 'There is nothing at this address.' },
  TENANT_NOT_FOUND: { status: 404, message: 'No tenant has this name.' },
  VERIFICATION_NOT_FOUND: {
    status: 404,
    message: 'No verification is waiting here: it was already used or never started. Request a new code.',
  },
  ACCOUNT_NOT_FOUND: {
    status: 404,
    message: 'Account not found. Please check your email or sign up for a new account.',
  },
  LAST_IDENTITY: {
    status: 409,
    message: 'This is the only proved address of the account. Add another one first.',
  },
  ALREADY_REGISTERED: {
    status: 409,
    message: 'An account with this address exists already. Sign in instead.',
  },
  LINK_NOT_CONFIRMED: { status: 409, message: 'Confirm the sign-in in Telegram first.' },
  IDEMPOTENCY_KEY_IN_USE: {
    status: 409,
    message: 'The first request with this Idempotency-Key is still being answered. Ask again in a moment.',
  },
  TELEGRAM_CHAT_UNKNOWN: { status: 409, message: 'Open the bot in Telegram and press Start first.' },
  LINK_EXPIRED: { status: 410, message: 'This sign-in link is over. Start again.' },
  CODE_EXPIRED: { status: 410, message: 'This code has expired. Request a new one.' },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    message: 'This Idempotency-Key came with another body before. Make a new key for every new request.',
  },
  TOO_MANY_ATTEMPTS: { status: 429, message: 'Too many wrong codes. Wait, then request a new code.' },
  RESEND_TOO_SOON: { status: 429, message: 'A code was sent a moment ago. Wait before asking for another.' },
  PROOF_OF_WORK_REQUIRED: {
    status: 429,
    message: 'Many codes were asked for from your network. Solve the challenge and send this again.',
  },
  RATE_LIMITED: { status: 429, message: 'Too many requests. Wait a while and try again.' },
  INTERNAL: { status: 500, message: 'Something went wrong on our side. Try again in a moment.' },
  CHANNEL_UNAVAILABLE: { status: 503, message: 'Codes cannot be sent this way at the moment.' },
  OVERLOADED: { status: 503, message: 'The server is busy. Try again in a moment.' },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof errorCatalogue;

/** One thing to correct in a request: `path` as a JSON pointer into the body (or `header`, `query`). */
export interface Issue {
  path: string;
  message: string;
}

/** One way to prove again who is there: a code to an address of the account, or its password; or to begin anew. */
export interface ProofWay {
  method: 'phone' | 'email' | 'telegram' | 'password' | 'new_account';
  identity_id?: string;
  channel?: string;
  /** The address, masked. */
  destination?: string;
}

/** A puzzle to solve before a request is sent again, in the form of ALTCHA; and a CAPTCHA where one is set up. */
export interface ChallengePut {
  challenge: { parameters: Record<string, unknown>; signature: string };
  captcha?: { provider: 'hcaptcha' | 'turnstile'; site_key: string };
}

/** What a screen needs beside the code. Durations are whole seconds. */
export interface ErrorDetails extends Partial<ChallengePut> {
  attempts_left?: number;
  retry_after?: number;
  resend_in?: number;
  expires_in?: number;
  channel?: string;
  next_action?: string;
  verification_id?: string;
  bot_link?: string;
  /** STEP_UP_REQUIRED and SECOND_PROOF_REQUIRED: what leads on. */
  ways?: ProofWay[];
  /** SECOND_PROOF_REQUIRED: carries the proof of the number to the second one. */
  second_proof_token?: string;
  issues?: Issue[];
}

/** An expected refusal, returned as a value so that it never rolls a counter back. */
export interface Refused {
  ok: false;
  error: ErrorCode;
  /** Replaces the catalogue's sentence where a better one is known. */
  message?: string;
  details: ErrorDetails;
}

/** Makes a refusal of the catalogue. */
export function refuse(error: ErrorCode, details: ErrorDetails = {}, message?: string): Refused {
  return message === undefined ? { ok: false, error, details } : { ok: false, error, details, message };
}

/** A refusal of one field: 400 INVALID_REQUEST with its path. */
export function refuseField(path: string, message: string): Refused {
  return refuse('INVALID_REQUEST', { issues: [{ path, message }] });
}

/** The body of every error answer (DESIGN part 5). */
export function errorBody(refused: Refused): Record<string, unknown> & { statusCode: number } {
  const entry = errorCatalogue[refused.error];
  return {
    success: false,
    statusCode: entry.status,
    error: refused.error,
    message: refused.message ?? entry.message,
    ...refused.details,
  };
}
