import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

const ISSUER = 'https://oauth.telegram.org';

export const LOGIN_CLIENT = { id: '7654321', secret: 'client-secret-of-the-tests' };

/** Somebody with Telegram, as its login tells of them. */
export interface LoginPerson {
  id: number;
  name?: string;
  preferred_username?: string;
  /** Without the plus, as Telegram has it. */
  phone_number?: string;
}

interface Granted {
  clientId: string;
  redirectUri: string;
  challenge: string;
  scope: string;
  nonce: string | null;
  person: LoginPerson;
}

/**
 * Telegram's OpenID Connect login behind a `fetch`: keeps what its documents say, and lies where a test tells it to.
 * @param now seconds of the injected clock
 */
export async function createFakeLogin(now: () => number) {
  const [own, foreign] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')]);
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'oidc-1', alg: 'RS256', use: 'sig' };
  const granted = new Map<string, Granted>();
  const state = {
    mode: 'up' as 'up' | 'down' | 'hang' | 'broken',
    /** Does a code work again? */
    codesWorkAgain: false,
    /** Telegram's tokens have been seen without a nonce. */
    echoesNonce: true,
    /** Does it compare the verifier with the challenge? */
    keepsPkce: true,
    issuer: ISSUER,
    claims: {} as JWTPayload,
    /** Makes the token instead. */
    forge: undefined as
      | undefined
      | ((claims: JWTPayload, keys: { foreign: typeof foreign.privateKey }) => Promise<string>),
  };
  const requests: { path: string; body: URLSearchParams; authorization: string | null }[] = [];
  let lastCode = 0;

  /** The person presses "Log in" on Telegram's page: what it adds to the address that it leads back to. */
  function approve(authorizationUrl: string, person: LoginPerson): { code: string; state: string } {
    const url = new URL(authorizationUrl);
    const query = url.searchParams;
    const wanted = ['code', 'S256', `${ISSUER}/auth`];
    const got = [query.get('response_type'), query.get('code_challenge_method'), url.origin + url.pathname];
    if (String(wanted) !== String(got)) throw new Error(`not what Telegram takes: ${authorizationUrl}`);
    if ((query.get('state') ?? '').length > 64) throw new Error('state too long');
    const code = `code-${++lastCode}`;
    granted.set(code, {
      clientId: query.get('client_id') ?? '',
      redirectUri: query.get('redirect_uri') ?? '',
      challenge: query.get('code_challenge') ?? '',
      scope: query.get('scope') ?? '',
      nonce: query.get('nonce'),
      person,
    });
    return { code, state: query.get('state') ?? '' };
  }

  async function token(body: URLSearchParams, authorization: string | null): Promise<Response> {
    const basic = `Basic ${Buffer.from(`${LOGIN_CLIENT.id}:${LOGIN_CLIENT.secret}`).toString('base64')}`;
    if (authorization !== basic) return Response.json({ error: 'invalid_client' }, { status: 401 });
    const code = body.get('code') ?? '';
    const grant = granted.get(code);
    if (!state.codesWorkAgain) granted.delete(code);
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    const fits =
      grant?.redirectUri === body.get('redirect_uri') && (grant?.challenge === challenge || !state.keepsPkce);
    if (!grant || !fits || grant.clientId !== LOGIN_CLIENT.id) {
      return Response.json({ error: 'invalid_grant' }, { status: 400 });
    }
    const { id, phone_number, ...profile } = grant.person;
    const claims: JWTPayload = {
      iss: state.issuer,
      aud: LOGIN_CLIENT.id,
      sub: `11${id}22`,
      iat: now(),
      exp: now() + 3600,
      ...(grant.scope.includes('profile') ? { id, ...profile } : {}),
      ...(grant.scope.includes('phone') && phone_number !== undefined ? { phone_number } : {}),
      ...(state.echoesNonce && grant.nonce !== null ? { nonce: grant.nonce } : {}),
      ...state.claims,
    };
    const id_token = state.forge
      ? await state.forge(claims, { foreign: foreign.privateKey })
      : await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'oidc-1' }).sign(own.privateKey);
    return Response.json({ access_token: 'unused', token_type: 'Bearer', expires_in: 3600, id_token });
  }

  const answering: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { origin, pathname } = new URL(request.url);
    if (origin !== ISSUER) throw new Error(`an unknown server was asked: ${request.url}`);
    const body = new URLSearchParams(await request.text());
    requests.push({ path: pathname, body, authorization: request.headers.get('authorization') });
    if (state.mode === 'down') throw new TypeError('fetch failed');
    if (state.mode === 'broken') return new Response('<html>Bad Gateway</html>', { status: 502 });
    if (state.mode === 'hang') {
      return new Promise((_, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error), { once: true });
      });
    }
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return Response.json({
          issuer: state.issuer,
          authorization_endpoint: `${ISSUER}/auth`,
          token_endpoint: `${ISSUER}/token`,
          jwks_uri: `${ISSUER}/.well-known/jwks.json`,
          response_types_supported: ['code'],
          token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA', 'ES256K', 'HS256', 'none'],
          code_challenge_methods_supported: ['plain', 'S256'],
        });
      case '/.well-known/jwks.json':
        return Response.json({ keys: [jwk] });
      case '/token':
        return token(body, request.headers.get('authorization'));
      default:
        return new Response(null, { status: 404 });
    }
  };

  return { fetch: answering, approve, state, requests };
}
