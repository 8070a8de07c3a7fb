import type { Accounts } from '../accounts/accounts.ts';
import type { FastifyRequest } from 'fastify';
import type { ApiKeys, ApiKeyScope, KnownApiKey } from '../tenants/tenants.ts';
import { type Refused, refuse } from '../kernel/errors.ts';
import type { Idempotency } from '../idempotency/idempotency.ts';
import type { Keys } from '../keys/keys.ts';
import type { Access, Authenticated } from '../sessions/sessions.ts';
import type { RequestClues, SignInContext } from '../signin/context.ts';
import type { ClientAddress } from '../web/client-address.ts';

/** What the routes work with: the use cases' context, and what only HTTP needs. */
export interface ApiContext {
  accounts: Accounts;
  signIn: SignInContext;
  keys: Keys;
  apiKeys: ApiKeys;
  clientAddress: (remoteAddress: string | undefined, forwardedFor: string | undefined) => ClientAddress;
  publicUrl: string;
  isDevelopment: boolean;
  version: string;
  /** Requests that carry an Idempotency-Key. */
  idempotency: Idempotency;
  /** Is the server able to answer? Rejects or gives false while it is not. */
  ready: () => Promise<boolean>;
}

/** Who asks and for whose tenant, read from the request's head alone. */
export function cluesOf(
  context: Pick<ApiContext, 'clientAddress' | 'signIn'>,
  request: FastifyRequest,
): RequestClues {
  const { headers } = request;
  const { address, bucket } = context.clientAddress(
    request.socket.remoteAddress,
    headers['x-forwarded-for'] as string | undefined,
  );
  return {
    caller: {
      ip: address,
      bucket,
      userAgent: headers['user-agent']?.slice(0, 400),
      deviceId: deviceOf(context, headers['x-device-token']),
    },
    challengeAnswer: challengeAnswerOf(headers),
    tenantHeader: headers['x-tenant'] as string | undefined,
    host: headers.host?.toLowerCase().replace(/:\d+$/, ''),
    acceptLanguage: headers['accept-language'],
  };
}

/** One object for each request, so that its solution is looked at once. */
function challengeAnswerOf(headers: FastifyRequest['headers']): RequestClues['challengeAnswer'] {
  const solution = headers['x-challenge-solution'];
  const captcha = headers['x-captcha-response'];
  if (typeof solution !== 'string' || solution === '') return undefined;
  return { solution, captcha: typeof captcha === 'string' ? captcha : undefined };
}

function deviceOf(
  context: Pick<ApiContext, 'signIn'>,
  token: string | string[] | undefined,
): string | undefined {
  return typeof token === 'string' ? context.signIn.sessions.readDeviceToken(token) : undefined;
}

/** The bearer token of a request, or undefined. */
export function bearerToken(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  return header !== undefined && /^bearer /i.test(header) ? header.slice(7).trim() : undefined;
}

/**
 * The session a request is made in. A tenant named by header must be the token's own: a token of one tenant never
 * passes for another's (S13).
 */
export function authenticate(
  context: ApiContext,
  request: FastifyRequest,
  token: string | undefined = bearerToken(request),
): Authenticated | Promise<Authenticated> {
  if (token === undefined || token === '') return refuse('TOKEN_INVALID');
  const result = context.signIn.sessions.authenticate(token);
  return result instanceof Promise
    ? result.then((outcome) => admit(context, request, outcome))
    : admit(context, request, result);
}

function admit(context: ApiContext, request: FastifyRequest, result: Authenticated): Authenticated {
  if (!result.ok) return result;
  const named = request.headers['x-tenant'];
  if (named !== undefined && named !== result.access.tenant.slug) return refuse('TOKEN_INVALID');
  const remote = request.socket.remoteAddress;
  context.signIn.sessions.noteUse(
    result.access,
    () => context.clientAddress(remote, request.headers['x-forwarded-for'] as string | undefined).address,
  );
  return result;
}

/** The API key a request is made with, if it carries the scope. */
export async function authorise(
  context: ApiContext,
  request: FastifyRequest,
  scope: ApiKeyScope,
): Promise<{ ok: true; apiKey: KnownApiKey } | Refused> {
  const key = request.headers['x-api-key'] ?? basicPassword(request) ?? bearerToken(request);
  const apiKey = typeof key === 'string' ? await context.apiKeys.find(key) : undefined;
  if (!apiKey) return refuse('API_KEY_INVALID');
  if (!apiKey.scopes.includes(scope) && !apiKey.scopes.includes('admin')) return refuse('SCOPE_REQUIRED');
  return { ok: true, apiKey };
}

/** OAuth clients send their secret as the password of HTTP Basic (RFC 6749 2.3.1). */
function basicPassword(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined || !/^basic /i.test(header)) return undefined;
  const text = Buffer.from(header.slice(6), 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : text.slice(colon + 1);
}

export type { Access, FastifyRequest };
