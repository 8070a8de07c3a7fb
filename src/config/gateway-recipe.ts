import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { hasSlot, parseTemplate, type Resolve, type Template, TemplateFault } from './gateway-template.ts';

const closed = { additionalProperties: false } as const;
const NAME = '^[a-z][a-z0-9-]{1,30}$';
const text = Type.String({ maxLength: 2000 });
const texts = Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.\\[\\]-]{1,100}$' }), text, closed);
const verdict = Type.Enum(['retry', 'next', 'suppress', 'alarm']);

/** Where in an answer something stands: by JSON pointer (RFC 6901), or by a regular expression over its text. */
const place = Type.Object(
  {
    at: Type.Optional(Type.String({ pattern: '^(/.*)?$', maxLength: 200 })),
    matches: Type.Optional(Type.String({ maxLength: 300 })),
  },
  closed,
);

const request = Type.Object(
  {
    method: Type.Optional(Type.Enum(['GET', 'POST', 'PUT'])),
    url: Type.String({ maxLength: 2000 }),
    query: Type.Optional(texts),
    headers: Type.Optional(texts),
    form: Type.Optional(texts),
    json: Type.Optional(Type.Unknown()),
  },
  closed,
);

/** A gateway as its file describes it. docs/guides/providers.md explains each field. */
const recipeSchema = Type.Object(
  {
    name: Type.String({ pattern: NAME }),
    channels: Type.Optional(
      Type.Array(Type.Enum(['sms', 'voice', 'telegram']), { minItems: 1, uniqueItems: true }),
    ),
    tenants: Type.Optional(Type.Array(Type.String(), { minItems: 1, uniqueItems: true })),
    limits: Type.Optional(
      Type.Object(
        {
          concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
          per_second: Type.Optional(Type.Number({ minimum: 0.1, maximum: 10_000 })),
        },
        closed,
      ),
    ),
    /** It carries codes by a text of its own, kept at the gateway: notices go by others. */
    codes_only: Type.Optional(Type.Boolean()),
    login: Type.Optional(
      Type.Object(
        { request, token: place, lifetime_seconds: Type.Integer({ minimum: 60, maximum: 31_536_000 }) },
        closed,
      ),
    ),
    send: request,
    success: Type.Object(
      {
        status: Type.Optional(Type.Array(Type.Integer({ minimum: 200, maximum: 299 }), { minItems: 1 })),
        when: Type.Optional(place),
        is: Type.Optional(Type.Array(text, { minItems: 1 })),
      },
      closed,
    ),
    /** `ours`: reports will name the id that we gave it. */
    message_id: Type.Optional(Type.Union([place, Type.Literal('ours')])),
    error_code: Type.Optional(place),
    errors: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 60 }), verdict, closed)),
    callback: Type.Optional(
      Type.Object(
        {
          secret: Type.Optional(
            Type.Object({ query: Type.Optional(text), header: Type.Optional(text), value: text }, closed),
          ),
          signature: Type.Optional(
            Type.Object(
              {
                header: text,
                key: text,
                algorithm: Type.Optional(Type.Enum(['sha256', 'sha512', 'sha1'])),
                encoding: Type.Optional(Type.Enum(['hex', 'base64'])),
                prefix: Type.Optional(text),
                /** Seconds since 1970; signed before the body with `separator` between. */
                timestamp_header: Type.Optional(text),
                separator: Type.Optional(text),
              },
              closed,
            ),
          ),
          format: Type.Enum(['json', 'form', 'query']),
          /** How the gateway reaches this server where it is not by the public URL. */
          base_url: Type.Optional(Type.String({ pattern: '^https?://[^/?#]+$' })),
          /** Pointer to the list of reports; left out: the whole is one. */
          reports: Type.Optional(Type.String({ pattern: '^(/.*)?$' })),
          message_id: Type.String({ pattern: '^/.+$' }),
          state: Type.String({ pattern: '^/.+$' }),
          states: Type.Record(text, Type.Enum(['sent', 'delivered', 'failed']), closed),
          error_code: Type.Optional(Type.String({ pattern: '^/.+$' })),
        },
        closed,
      ),
    ),
  },
  closed,
);

type Recipe = Static<typeof recipeSchema>;
type RecipeRequest = Static<typeof request>;
export type GatewayVerdict = Static<typeof verdict>;

/** Where something stands in an answer, ready to be looked for. */
export type Place = { pointer: string } | { pattern: RegExp };

/** A JSON body with templates where it has strings. */
export type JsonTemplate =
  | { template: Template }
  | { list: readonly JsonTemplate[] }
  | { fields: readonly (readonly [string, JsonTemplate])[] }
  | { value: unknown };

export interface GatewayRequest {
  method: 'GET' | 'POST' | 'PUT';
  url: Template;
  query: readonly (readonly [string, Template])[];
  headers: readonly (readonly [string, Template])[];
  body: { form: readonly (readonly [string, Template])[] } | { json: JsonTemplate } | undefined;
}

/** A gateway ready for use: its references resolved, its patterns compiled. Holds secrets; is never printed. */
export interface Gateway {
  name: string;
  channels: readonly string[];
  tenants: readonly string[] | undefined;
  limits: { concurrency?: number; perSecond?: number } | undefined;
  codesOnly: boolean;
  login: { request: GatewayRequest; token: Place; lifetimeSeconds: number } | undefined;
  send: GatewayRequest;
  success: {
    status: readonly number[] | undefined;
    when: Place | undefined;
    is: readonly string[] | undefined;
  };
  messageId: Place | 'ours' | undefined;
  errorCode: Place | undefined;
  errors: Readonly<Record<string, GatewayVerdict>>;
  callback: GatewayCallback | undefined;
}

export interface GatewayCallback {
  secret: { query: string | undefined; header: string | undefined; value: string } | undefined;
  signature:
    | {
        header: string;
        key: string;
        algorithm: 'sha256' | 'sha512' | 'sha1';
        encoding: 'hex' | 'base64';
        prefix: string;
        timestampHeader: string | undefined;
        separator: string;
      }
    | undefined;
  format: 'json' | 'form' | 'query';
  baseUrl: string | undefined;
  reports: string | undefined;
  messageId: string;
  state: string;
  states: Readonly<Record<string, 'sent' | 'delivered' | 'failed'>>;
  errorCode: string | undefined;
}

const validator = Compile(recipeSchema);

/**
 * Reads the description of a gateway.
 * @returns the gateway, or every sentence that says what keeps it from being used; none of them holds a secret
 */
export function parseRecipe(
  source: string,
  resolve: Resolve,
): { ok: true; gateway: Gateway } | { ok: false; messages: string[] } {
  let recipe: unknown;
  try {
    recipe = JSON.parse(source);
  } catch {
    return { ok: false, messages: ['is not JSON'] };
  }
  if (!validator.Check(recipe)) {
    const messages = validator
      .Errors(recipe)
      .slice(0, 5)
      .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
    return { ok: false, messages: [...new Set(messages)] };
  }
  try {
    const gateway = ready(recipe, resolve);
    const messages = problemsOf(recipe, gateway);
    return messages.length > 0 ? { ok: false, messages } : { ok: true, gateway };
  } catch (fault) {
    if (!(fault instanceof TemplateFault)) throw fault;
    return { ok: false, messages: [fault.message] };
  }
}

function ready(recipe: Recipe, resolve: Resolve): Gateway {
  const { login, success, callback, limits } = recipe;
  const secretText = (text: string): string =>
    parseTemplate(text, resolve)
      .map((part) => {
        if (typeof part === 'string') return part;
        throw new TemplateFault(`{{${part.slot}}} means nothing in the secret of a callback`);
      })
      .join('');
  return {
    name: recipe.name,
    channels: recipe.channels ?? ['sms'],
    tenants: recipe.tenants,
    limits: limits && {
      ...(limits.concurrency === undefined ? {} : { concurrency: limits.concurrency }),
      ...(limits.per_second === undefined ? {} : { perSecond: limits.per_second }),
    },
    codesOnly: recipe.codes_only ?? false,
    login: login && {
      request: readyRequest(login.request, resolve),
      token: readyPlace(login.token),
      lifetimeSeconds: login.lifetime_seconds,
    },
    send: readyRequest(recipe.send, resolve),
    success: { status: success.status, when: success.when && readyPlace(success.when), is: success.is },
    messageId:
      recipe.message_id === undefined || recipe.message_id === 'ours'
        ? recipe.message_id
        : readyPlace(recipe.message_id),
    errorCode: recipe.error_code && readyPlace(recipe.error_code),
    errors: recipe.errors ?? {},
    callback: callback && {
      secret: callback.secret && {
        query: callback.secret.query,
        header: callback.secret.header?.toLowerCase(),
        value: secretText(callback.secret.value),
      },
      signature: callback.signature && {
        header: callback.signature.header.toLowerCase(),
        key: secretText(callback.signature.key),
        algorithm: callback.signature.algorithm ?? 'sha256',
        encoding: callback.signature.encoding ?? 'hex',
        prefix: callback.signature.prefix ?? '',
        timestampHeader: callback.signature.timestamp_header?.toLowerCase(),
        separator: callback.signature.separator ?? '\n',
      },
      format: callback.format,
      baseUrl: callback.base_url,
      reports: callback.reports,
      messageId: callback.message_id,
      state: callback.state,
      states: callback.states,
      errorCode: callback.error_code,
    },
  };
}

function readyRequest(request: RecipeRequest, resolve: Resolve): GatewayRequest {
  const pairs = (record: Record<string, string> = {}): (readonly [string, Template])[] =>
    Object.entries(record).map(([name, value]) => [name, parseTemplate(value, resolve)]);
  const { form, json } = request;
  if (form && json !== undefined) throw new TemplateFault('a request has form or json, not both');
  const body = form
    ? { form: pairs(form) }
    : json === undefined
      ? undefined
      : { json: readyJson(json, resolve) };
  return {
    method: request.method ?? 'POST',
    url: parseTemplate(request.url, resolve),
    query: pairs(request.query),
    headers: pairs(request.headers),
    body,
  };
}

function readyJson(value: unknown, resolve: Resolve): JsonTemplate {
  if (typeof value === 'string') return { template: parseTemplate(value, resolve) };
  if (Array.isArray(value)) return { list: value.map((item) => readyJson(item, resolve)) };
  if (typeof value !== 'object' || value === null) return { value };
  return { fields: Object.entries(value).map(([name, item]) => [name, readyJson(item, resolve)] as const) };
}

function readyPlace({ at, matches }: Static<typeof place>): Place {
  if ((at === undefined) === (matches === undefined))
    throw new TemplateFault('a place has either at or matches');
  if (at !== undefined) return { pointer: at };
  try {
    return { pattern: new RegExp(matches ?? '', 'u') };
  } catch {
    throw new TemplateFault(`"${matches}" is not a regular expression`);
  }
}

/** What a schema cannot say. */
function problemsOf(recipe: Recipe, gateway: Gateway): string[] {
  const problems: string[] = [];
  for (const { url } of [gateway.send, ...(gateway.login ? [gateway.login.request] : [])]) {
    const problem = urlProblem(url);
    if (problem) problems.push(problem);
  }
  const { success, callback } = gateway;
  if (success.is !== undefined && success.when === undefined) problems.push('success.is needs success.when');
  if (!gateway.login && JSON.stringify(recipe.send).includes('{{token}}')) {
    problems.push('{{token}} needs a login');
  }
  if (callback) {
    const { secret, signature } = callback;
    if (!secret && !signature)
      problems.push('a callback needs a secret or a signature: anybody could report');
    if (secret && (secret.query === undefined) === (secret.header === undefined)) {
      problems.push('callback.secret stands in either query or header');
    }
    if (secret && secret.value.length < 16)
      problems.push('callback.secret.value needs 16 characters at least');
    if (signature && signature.key.length < 16)
      problems.push('callback.signature.key needs 16 characters at least');
    if (gateway.messageId === undefined)
      problems.push('a callback needs message_id, to know what it is about');
  }
  return problems;
}

const NEAR =
  /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|10\.[\d.]+|192\.168\.[\d.]+|172\.(1[6-9]|2\d|3[01])\.[\d.]+|[a-z0-9-]+)$/i;

/** Codes travel in the clear over http: only to a machine of one's own. No slot may choose the host. */
function urlProblem(template: Template): string | undefined {
  const sample = template.map((part) => (typeof part === 'string' ? part : 'x')).join('');
  const first = template[0];
  const url = URL.canParse(sample) ? new URL(sample) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) return 'a url must begin with https://';
  if (url.protocol === 'http:' && !NEAR.test(url.hostname)) {
    return `http:// is for machines of one's own network; ${url.hostname} needs https://`;
  }
  const head = `${url.protocol}//`;
  if (typeof first !== 'string' || (hasSlot(template) && !first.slice(head.length).includes('/'))) {
    return 'the host of a url may not come from the message';
  }
  return undefined;
}
