import type {
  ClientAuth,
  Configuration,
  CustomFetch,
  ExportedJWKSCache,
  IDToken,
  ServerMetadata,
} from 'openid-client';
import { systemClock } from '../kernel/clock.ts';
import { readPerson, type TelegramPerson } from './signed-data.ts';

/** What BotFather calls the login of a bot: its id, and a secret that is not the bot's token. */
export interface TelegramLoginClient {
  clientId: string;
  clientSecret: string;
}

/** One sign-in by Telegram's OpenID Connect login, as it was begun. */
export interface LoginRequest {
  /** Where Telegram leads the browser back to; registered with BotFather. */
  redirectUri: string;
  state: string;
  nonce: string;
  /** Of PKCE: shown to Telegram as its SHA-256 first, and itself only with the code (RFC 7636). */
  verifier: string;
}

/** Who somebody is by Telegram's word. `phone`: digits without the plus, where it was asked for and given. */
export type LoginProof =
  | { ok: true; person: TelegramPerson; phone: string | undefined }
  /** `unreachable`: Telegram did not answer; what it said otherwise is no proof. `cause`: for the log, in a word. */
  | { ok: false; reason: 'refused' | 'unreachable'; cause: string };

/** The side of Telegram's login that relies on it (core.telegram.org/bots/telegram-login). */
export interface TelegramLogin {
  /** The address that the browser is sent to; undefined while Telegram cannot be asked where that is. */
  begin(client: TelegramLoginClient, request: LoginRequest & { phone: boolean }): Promise<string | undefined>;
  /** Changes the code that the browser came back with for a proof, and checks everything about it. */
  finish(
    client: TelegramLoginClient,
    request: LoginRequest,
    answer: { code: string; state: string; iss?: string | undefined },
  ): Promise<LoginProof>;
}

export interface TelegramLoginOptions {
  fetch: typeof fetch;
  now: () => Date;
  timeoutMilliseconds?: number | undefined;
}

const ISSUER = 'https://oauth.telegram.org';
/** Of the algorithms that Telegram offers; what is symmetric, or none, is not among them (RFC 8725 3.1). */
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
const METADATA_LIFE_MILLISECONDS = 3_600_000;
const TIMEOUT_MILLISECONDS = 5000;
/** Clocks differ by so much at most. */
const LEEWAY_SECONDS = 30;

/** @returns a relying party; openid-client is loaded by the first sign-in */
export function createTelegramLogin(options: TelegramLoginOptions): TelegramLogin {
  const timeout = (options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS) / 1000;
  let known: { metadata: ServerMetadata; until: number } | undefined;
  let keys: ExportedJWKSCache | undefined;

  const send: CustomFetch = (url, init) => options.fetch(url, init as RequestInit);

  async function metadata(): Promise<ServerMetadata> {
    const now = options.now().getTime();
    if (known && now < known.until) return known.metadata;
    const { customFetch, discovery } = await import('openid-client');
    // Whose client asks does not matter here; the issuer that answers must be the one that was asked.
    const found = await discovery(new URL(ISSUER), 'anyone', {}, undefined, {
      [customFetch]: send,
      timeout,
    });
    const { supportsPKCE: _supportsPKCE, ...published } = found.serverMetadata();
    const offered = published.id_token_signing_alg_values_supported ?? ['RS256'];
    const algorithms = ALGORITHMS.filter((algorithm) => offered.includes(algorithm));
    known = {
      metadata: { ...published, id_token_signing_alg_values_supported: algorithms },
      until: now + METADATA_LIFE_MILLISECONDS,
    };
    return known.metadata;
  }

  async function configure(client: TelegramLoginClient, fetch: CustomFetch): Promise<Configuration> {
    const openid = await import('openid-client');
    const server = await metadata();
    const skew = Math.round((options.now().getTime() - systemClock.now().getTime()) / 1000);
    const configuration = new openid.Configuration(
      server,
      client.clientId,
      { [openid.clockSkew]: skew, [openid.clockTolerance]: LEEWAY_SECONDS },
      authenticate(client),
    );
    configuration[openid.customFetch] = fetch;
    configuration.timeout = timeout;
    // The signature counts, too, not only that the token came from Telegram's own address.
    openid.enableNonRepudiationChecks(configuration);
    if (keys) openid.setJwksCache(configuration, keys);
    return configuration;
  }

  return {
    async begin(client, request) {
      try {
        const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await import('openid-client');
        const url = buildAuthorizationUrl(await configure(client, send), {
          redirect_uri: request.redirectUri,
          scope: request.phone ? 'openid profile phone' : 'openid profile',
          state: request.state,
          nonce: request.nonce,
          code_challenge: await calculatePKCECodeChallenge(request.verifier),
          code_challenge_method: 'S256',
        });
        return url.href;
      } catch {
        return undefined;
      }
    },

    async finish(client, request, answer) {
      let isAway = false;
      let told: Response | undefined;
      /** A code works once, so that what Telegram answered to it is kept for the second look. */
      const asking: CustomFetch = async (url, init) => {
        if (init.method === 'POST' && told) return told.clone();
        const response = await send(url, init).catch((fault: unknown) => {
          isAway = true;
          throw fault;
        });
        isAway ||= response.status >= 500 || response.status === 429;
        if (init.method !== 'POST') return response;
        told = response;
        return response.clone();
      };
      const back = new URL(request.redirectUri);
      for (const name of ['code', 'state', 'iss'] as const) {
        const value = answer[name];
        if (value !== undefined) back.searchParams.set(name, value);
      }

      try {
        const openid = await import('openid-client');
        const configuration = await configure(client, asking);
        const checks = {
          expectedState: request.state,
          pkceCodeVerifier: request.verifier,
          idTokenExpected: true,
        };
        const ask = (nonce?: string) =>
          openid.authorizationCodeGrant(
            configuration,
            back,
            nonce === undefined ? { ...checks } : { ...checks, expectedNonce: nonce },
          );
        // Telegram's tokens have been seen without a nonce. One that is there must be ours; without one the code is
        // bound to this sign-in by PKCE alone, which is enough (RFC 9700 2.1.1).
        const tokens = await ask(request.nonce).catch((fault: unknown) => {
          if (!told?.ok) throw fault;
          return ask();
        });
        keys = openid.getJwksCache(configuration) ?? keys;
        const claims = tokens.claims();
        return (claims && readClaims(claims)) ?? { ok: false, reason: 'refused', cause: 'no_person' };
      } catch (fault) {
        return { ok: false, reason: isAway ? 'unreachable' : 'refused', cause: causeOf(fault) };
      }
    },
  };
}

/** As Telegram writes it: plain base64, where RFC 6749 2.3.1 would encode twice, and the id in the body as well. */
function authenticate({ clientId, clientSecret }: TelegramLoginClient): ClientAuth {
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  return (_server, _client, body, headers) => {
    headers.set('authorization', `Basic ${basic}`);
    body.set('client_id', clientId);
  };
}

/** `sub` is a name of Telegram's own for this client; the account's number is `id`. */
function readClaims(claims: IDToken): LoginProof | undefined {
  const [firstName, ...rest] = typeof claims['name'] === 'string' ? claims['name'].trim().split(/\s+/) : [];
  const person = readPerson({
    id: claims['id'],
    first_name: claims['given_name'] ?? firstName,
    last_name: claims['family_name'] ?? rest.join(' '),
    username: claims['preferred_username'],
  });
  if (!person) return undefined;
  const { phone_number: phone, phone_number_verified: isVerified } = claims;
  const isProved = typeof phone === 'string' && (isVerified === undefined || isVerified === true);
  const digits = isProved ? phone.replace(/^\+/, '') : '';
  return { ok: true, person, phone: /^[1-9]\d{6,14}$/.test(digits) ? digits : undefined };
}

/** What Telegram or openid-client calls it (`invalid_client`, `OAUTH_JWT_CLAIM_COMPARISON_FAILED`): never a value. */
function causeOf(fault: unknown): string {
  const { error, code } = (fault ?? {}) as { error?: unknown; code?: unknown };
  const name = typeof error === 'string' ? error : code;
  return typeof name === 'string' && /^\w{1,64}$/.test(name) ? name : 'unknown';
}
