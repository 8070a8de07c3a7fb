import { Compile } from 'typebox/compile';
import type { Gateway, GatewayRequest, JsonTemplate, Place } from './gateway.ts';
import { type Recipe, type RecipePlace, type RecipeRequest, recipeSchema } from './gateway-recipe-schema.ts';
import { hasSlot, parseTemplate, type Resolve, type Template, TemplateFault } from './gateway-template.ts';

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

function readyPlace({ at, matches }: RecipePlace): Place {
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
