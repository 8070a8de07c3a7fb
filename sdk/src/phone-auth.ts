import type { AuthState, SignedIn, VerificationSent } from './answers.ts';
import { FirstproofError } from './errors.ts';
import { createTransport, type Transport, type TransportOptions } from './transport.ts';

export type SignedInChat = SignedIn & {
  chat: { chat_id: string; moved_from: string | null; move_id: string | null };
};

/** Answers that mean "not this code", after which the person types another or asks for a new one. */
const NOT_THIS_CODE = new Set([
  'INVALID_CODE',
  'CODE_EXPIRED',
  'VERIFICATION_NOT_FOUND',
  'TOO_MANY_ATTEMPTS',
]);

/** Also what cannot be a code: people type anything. */
function isNotThisCode({ code, details }: FirstproofError): boolean {
  const isUnreadable =
    code === 'INVALID_REQUEST' && details.issues?.every(({ path }) => /^\/(verification_)?code$/.test(path));
  return isUnreadable === true || NOT_THIS_CODE.has(code);
}

/** Phone-first sign-in for a Telegram bot of your own, with an API key of scope `service`. */
export class PhoneAuth {
  readonly #call: Transport;
  readonly #states = new Map<string, AuthState>();

  constructor(options: TransportOptions & { apiKey: string }) {
    this.#call = createTransport(options);
  }

  /** Is the account of this number signed in anywhere? */
  async isPhoneNumberAuthorized(phoneNumber: string): Promise<boolean> {
    return (await this.#ofPhone(phoneNumber)).authorized;
  }

  /** The account of this number, or null where nobody has it. Never a token: a number proves nothing. */
  async getAuthByPhoneNumber(phoneNumber: string): Promise<AuthState | null> {
    const state = await this.#ofPhone(phoneNumber);
    return state.user === null ? null : state;
  }

  /** Reads what was proved in this chat, its token included; afterwards `authOf` gives it without a call. */
  async loadUserAuth(chatId: string): Promise<void> {
    const state = await this.#call<AuthState>('GET', chatPath(chatId, 'authorization'));
    // Of chats that are not signed in nothing is kept: there may be many, and a bot runs for long.
    if (state.authorized) this.#states.set(chatId, state);
    else this.#states.delete(chatId);
  }

  /** What loadUserAuth last read and verifyOtp last proved; undefined where the chat is not signed in. */
  authOf(chatId: string): AuthState | undefined {
    return this.#states.get(chatId);
  }

  /** Sends a code by SMS to the number typed in this chat. */
  sendOtp(chatId: string, phone: string, locale?: string): Promise<VerificationSent> {
    const body = { phone, ...(locale === undefined ? {} : { locale }) };
    return this.#call('POST', chatPath(chatId, 'send-code'), { body });
  }

  /** Checks the code typed in this chat. False: not this code; every other refusal is a FirstproofError. */
  async verifyOtp(chatId: string, otp: string): Promise<boolean> {
    try {
      await this.signIn(chatId, otp);
      return true;
    } catch (fault) {
      if (fault instanceof FirstproofError && isNotThisCode(fault)) return false;
      throw fault;
    }
  }

  /** As verifyOtp, with everything that the server tells: a new account, a chat that was left. */
  async signIn(chatId: string, otp: string): Promise<SignedInChat> {
    const done = await this.#call<SignedInChat>('POST', chatPath(chatId, 'verify'), { body: { code: otp } });
    if (done.chat.moved_from !== null) this.#states.delete(done.chat.moved_from);
    await this.loadUserAuth(chatId);
    return done;
  }

  /** Signs the account of this chat out, on every device of its number. */
  async invalidateToken(chatId: string): Promise<void> {
    await this.#call('DELETE', chatPath(chatId, 'authorization'));
    this.#states.clear();
  }

  /** The chat that an account left takes it back. */
  async undoMove(chatId: string, moveId: string): Promise<void> {
    await this.#call('POST', chatPath(chatId, 'undo-move'), { body: { move_id: moveId } });
    this.#states.clear();
  }

  #ofPhone(phoneNumber: string): Promise<AuthState> {
    return this.#call('GET', `/api/v1/phones/${encodeURIComponent(phoneNumber)}/authorization`);
  }
}

function chatPath(chatId: string, call: string): string {
  return `/api/v1/telegram/chats/${encodeURIComponent(chatId)}/${call}`;
}
