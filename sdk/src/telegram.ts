import type { SignedIn } from './answers.ts';
import type { Transport } from './transport.ts';

/** A link that waits to be confirmed in Telegram. */
export interface TelegramLink {
  /** Secret of this browser: never in an address, never shown. */
  link_id: string;
  /** Opens the bot: a button, a QR code. */
  url: string;
  /** Two digits to show beside it. */
  match_number: string;
  expires_in: number;
}

export type TelegramLinkState = 'waiting' | 'opened' | 'confirmed' | 'completed' | 'denied' | 'expired';

/** A sign-in at Telegram itself, as the browser that began it keeps it. */
export interface TelegramLogin {
  /** Secret of this browser: in `sessionStorage`, never in an address. */
  login_id: string;
  /** Where the browser goes. */
  authorization_url: string;
  expires_in: number;
}

/** How Telegram itself says who somebody is. What signs in leaves its tokens with the client. */
export interface TelegramWays {
  beginLink(): Promise<TelegramLink>;
  /** How a link stands; with `seen` the answer comes when that has changed, or after some seconds. */
  linkState(linkId: string, seen?: TelegramLinkState): Promise<TelegramLinkState>;
  /**
   * Follows a link until it is confirmed, and signs in; a FirstproofError where it was denied or is over.
   * @param onState called with each state, for the page to show
   * @param signal ends it without a sign-in, when the person has gone on to something else
   */
  followLink(
    linkId: string,
    onState?: (state: TelegramLinkState) => void,
    signal?: AbortSignal,
  ): Promise<SignedIn>;
  /** In a Mini App: `Telegram.WebApp.initData`, as it stands. */
  signInByInitData(initData: string): Promise<SignedIn>;
  /** Begins at Telegram itself. @param redirectUri one of the tenant's telegram_sign_in.return_addresses */
  beginLogin(redirectUri: string): Promise<TelegramLogin>;
  /** @param address where Telegram has led the browser back to, whole: `location.href` */
  completeLogin(loginId: string, address: string): Promise<SignedIn>;
}

const LINKS = '/api/v1/auth/telegram/links';

export function telegramWays(
  call: Transport,
  signedIn: (answer: Promise<SignedIn>) => Promise<SignedIn>,
  wait: (milliseconds: number) => Promise<void>,
): TelegramWays {
  function look(linkId: string, seen?: TelegramLinkState) {
    const until = seen === undefined ? '' : `?wait=20&seen=${seen}`;
    const path = `${LINKS}/${encodeURIComponent(linkId)}${until}`;
    return call<{ state: TelegramLinkState; poll_after: number }>('GET', path);
  }

  return {
    beginLink: () => call('POST', LINKS, { body: {} }),
    linkState: async (linkId, seen) => (await look(linkId, seen)).state,
    async followLink(linkId, onState, signal) {
      let { state } = await look(linkId);
      onState?.(state);
      while (state === 'waiting' || state === 'opened') {
        signal?.throwIfAborted();
        const next = await look(linkId, state);
        // A server with too many to keep waiting answers at once.
        if (next.state === state) await wait(1000 * next.poll_after);
        else onState?.(next.state);
        state = next.state;
      }
      signal?.throwIfAborted();
      // Of every other end the server says itself why there is no session.
      const path = `${LINKS}/${encodeURIComponent(linkId)}/complete`;
      return signedIn(call('POST', path, { body: {} }));
    },
    signInByInitData: (init_data) =>
      signedIn(call('POST', '/api/v1/auth/telegram/init-data', { body: { init_data } })),
    beginLogin: (redirect_uri) => call('POST', '/api/v1/auth/telegram/oidc', { body: { redirect_uri } }),
    completeLogin(login_id, address) {
      const { searchParams } = new URL(address);
      const iss = searchParams.get('iss');
      const body = {
        login_id,
        code: searchParams.get('code') ?? '',
        state: searchParams.get('state') ?? '',
        ...(iss === null ? {} : { iss }),
      };
      return signedIn(call('POST', '/api/v1/auth/telegram/oidc/complete', { body }));
    },
  };
}
