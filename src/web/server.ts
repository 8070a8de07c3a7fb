import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type SerializerSelector from '@fastify/fast-json-stringify-compiler';
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { isUtf8 } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { errorBody, type Issue, type Refused, refuse } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { QueueFull } from '../kernel/queue-full.ts';
import { findRepeatedHeader } from './duplicate-headers.ts';
import { parseStrictJson } from './json-body.ts';
import { createOverloadTeller, watchPressure } from './pressure.ts';
import { schemaIssues } from './schema-issues.ts';

const require = createRequire(import.meta.url);

/** The largest body anybody has a reason to send. */
const BODY_LIMIT_BYTES = 64 * 1024;
/** A person or a load balancer may come back this soon when the database is away. */
const COME_BACK_SECONDS = 2;
/** NUL as addresses and forms write it; PostgreSQL cannot store one. */
const NUL = '%00';
const JSON_TYPE = 'application/json; charset=utf-8';

export interface HttpServerOptions {
  log: Log;
  /** Send Strict-Transport-Security: the public URL is https. */
  secure: boolean;
  /** Is this fault something that is away for now (answer 503), not a defect? */
  isUnavailable: (fault: unknown) => boolean;
  /** Answers a person instead of a program, where a person asks; undefined: JSON it is. */
  page?: (
    request: FastifyRequest,
    reply: FastifyReply,
    refused: Refused,
    error?: FastifyError | Error,
  ) => Promise<FastifyReply> | undefined;
  /** How late the event loop may be; past that requests are refused at once. Left out: however late. */
  longestDelayMilliseconds?: number;
  /** Told of every answer before it is sent, for metrics and the request log; may still add headers. */
  onAnswer?: (request: FastifyRequest, reply: FastifyReply, milliseconds: number) => void;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its answer costs no more than a refusal would: answered however much there is to do. */
    isCheap?: boolean;
  }
  interface FastifyRequest {
    /** performance.now() when its head had been read. */
    startedAt: number;
  }
}

/** A request that cannot be valid, whatever its route. */
class BadRequest extends Error {
  readonly issues: Issue[];
  constructor(issues: Issue[]) {
    super('invalid request');
    this.issues = issues;
  }
}

/**
 * A Fastify server with this house's manners: strict JSON, no coercion, unknown fields refused, one error shape, and
 * security headers on every answer (ASVS 3.4, 14.3.2).
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const headers: Record<string, string> = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    ...(options.secure ? { 'strict-transport-security': 'max-age=63072000; includeSubDomains' } : {}),
  };
  const faults = { ...options, tellOverload: createOverloadTeller(options.log) };
  const server = Fastify({
    logger: false,
    // Fastify types a validator after Ajv, which it would load did it not get this one.
    schemaController: {
      compilersFactory: { buildValidator: (() => compileValidator) as never, buildSerializer },
    },
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 15_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    routerOptions: { querystringParser: parseQuery, maxParamLength: 300, ignoreTrailingSlash: true },
    // node:http would answer by itself, without our headers: the host is asked for below.
    http: { headersTimeout: 10_000, requireHostHeader: false },
    frameworkErrors: (error, request, reply) => {
      sendRefusal(reply.headers(headers), refusalOf(error, request, faults));
    },
    clientErrorHandler: (error, socket) => refuseUnreadable(headers, error, socket),
  });
  const pressure = watchPressure(options.longestDelayMilliseconds ?? Infinity);
  server.addHook('onClose', (_server, done) => {
    pressure.stop();
    done();
  });
  server.decorateRequest('startedAt', 0);
  server.addHook('onRequest', (request, reply, done) => {
    request.startedAt = performance.now();
    reply.headers(headers);
    if (pressure.isTooHigh(request.startedAt) && !request.routeOptions.config.isCheap)
      return done(new QueueFull('the event loop is behind'));
    const repeated = findRepeatedHeader(request.raw.rawHeaders);
    if (request.raw.headers.host === undefined && request.raw.httpVersion !== '1.0')
      done(bad('header:host', 'Name the host (RFC 9112 3.2).'));
    else if (repeated !== undefined)
      done(bad(`header:${repeated}`, `The header ${repeated} may be given once.`));
    else if (request.raw.url?.includes(NUL))
      done(bad('/', 'The address holds a character that cannot be stored.'));
    else done();
  });

  server.server.on('checkExpectation', (_request, response: ServerResponse) => {
    const body = unreadable('header:expect', 'Only 100-continue may be expected (RFC 9110 10.1.1).');
    response.writeHead(400, { ...headers, 'content-type': JSON_TYPE }).end(body);
  });

  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    // Decoding would put replacement characters where the bytes are wrong, and nobody would notice.
    if (!isUtf8(body as Buffer)) return done(bad('', 'is not valid UTF-8'));
    const parsed = parseStrictJson(body.toString());
    if (parsed.ok) done(null, parsed.value);
    else done(new BadRequest([parsed.issue]));
  });
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (request, body, done) => {
      // Any page of the web can post a form without asking first: only routes that declare it take one.
      const takesForms = request.routeOptions.schema?.consumes?.includes('application/x-www-form-urlencoded');
      if (takesForms && body.includes(NUL)) done(bad('', 'holds a character that cannot be stored'));
      else if (takesForms) done(null, parseQuery(body as string));
      else done(bad('header:content-type', 'Send the body as application/json.'));
    },
  );

  server.setNotFoundHandler((request, reply) => {
    const refused = refuse('NOT_FOUND');
    return options.page?.(request, reply, refused) ?? sendRefusal(reply, refused);
  });
  server.setErrorHandler((error: FastifyError | BadRequest, request, reply) => {
    const refused = refusalOf(error, request, faults);
    return options.page?.(request, reply, refused, error) ?? sendRefusal(reply, refused);
  });
  if (options.onAnswer) {
    const { onAnswer } = options;
    // onSend, not onResponse: that one hangs listeners on every answer, a third of what a session check costs.
    server.addHook('onSend', (request, reply, payload, done) => {
      onAnswer(request, reply, performance.now() - request.startedAt);
      done(null, payload);
    });
  }
  return server;
}

type Validate = (value: unknown) => { value: unknown } | { error: BadRequest };

/** Compiled at its first use: a server has some five hundred schemas, and starts without most of them. */
function compileValidator({ schema }: { schema: unknown }): Validate {
  let compiled: Validator | undefined;
  return (value) => {
    compiled ??= Compile(schema as TSchema);
    if (compiled.Check(value)) return { value };
    return { error: new BadRequest(schemaIssues(compiled.Errors(value))) };
  };
}

type Serializers = ReturnType<typeof SerializerSelector>;

/** Fastify's own serialisers, each loaded and compiled at its first use: errors, most of them, are written without. */
const buildSerializer: Serializers = (...given) => {
  let compile: ReturnType<Serializers> | undefined;
  return (route) => {
    let serialize: ReturnType<ReturnType<Serializers>> | undefined;
    return (answer) => {
      compile ??= (require('@fastify/fast-json-stringify-compiler') as typeof SerializerSelector)()(...given);
      serialize ??= compile(route);
      return serialize(answer);
    };
  };
};

/** Answers with a refusal of the catalogue. */
export function sendRefusal(reply: FastifyReply, refused: Refused): FastifyReply {
  const body = errorBody(refused);
  const { retry_after: retryAfter } = refused.details;
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  if (body.statusCode === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(body.statusCode).type(JSON_TYPE).send(JSON.stringify(body));
}

function refusalOf(
  error: FastifyError | BadRequest,
  request: FastifyRequest,
  { log, isUnavailable, tellOverload }: HttpServerOptions & { tellOverload: () => void },
): Refused {
  if (error instanceof BadRequest) return refuse('INVALID_REQUEST', { issues: error.issues });
  if (error instanceof QueueFull) {
    tellOverload();
    return refuse('OVERLOADED', { retry_after: COME_BACK_SECONDS });
  }
  const issue = FRAMEWORK_ISSUES[error.code];
  if (issue) return refuse('INVALID_REQUEST', { issues: [issue] });
  if (isUnavailable(error)) {
    log.warn(
      { event: 'database_unavailable', route: request.routeOptions.url ?? '', error },
      'the database is away',
    );
    return refuse('OVERLOADED', { retry_after: COME_BACK_SECONDS });
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    return refuse('INVALID_REQUEST', { issues: [{ path: '/', message: 'The request could not be read.' }] });
  }
  log.error(
    {
      event: 'fault',
      route: request.routeOptions.url ?? '',
      method: request.method,
      request_id: request.id,
      error,
    },
    'a request failed',
  );
  return refuse('INTERNAL');
}

/** What the HTTP parser gave up on never becomes a request; it is answered on the socket, in the one shape. */
function refuseUnreadable(
  headers: Readonly<Record<string, string>>,
  error: NodeJS.ErrnoException,
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy();
  const body = unreadable('/', 'The request could not be read.');
  const head = Object.entries({
    ...headers,
    connection: 'close',
    'content-type': JSON_TYPE,
    'content-length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 400 Bad Request\r\n${head.join('')}\r\n${body}`, () => socket.destroy());
}

function unreadable(path: string, message: string): string {
  return JSON.stringify(errorBody(refuse('INVALID_REQUEST', { issues: [{ path, message }] })));
}

const FRAMEWORK_ISSUES: Record<string, Issue> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { path: '/', message: 'The body may be 64 KB at most.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    path: 'header:content-type',
    message: 'Send the body as application/json.',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    path: 'header:content-length',
    message: 'Content-Length does not fit the body.',
  },
  FST_ERR_BAD_URL: { path: '/', message: 'The address is not valid.' },
};

function bad(path: string, message: string): BadRequest {
  return new BadRequest([{ path, message }]);
}

/**
 * Query strings and forms as flat text; a name given twice becomes an array, which no schema here accepts. What comes
 * after the second is left out: thirty thousand fit into a form, and nobody asks for them.
 */
function parseQuery(text: string): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  if (text === '') return fields;
  for (const [name, value] of new URLSearchParams(text)) {
    const known = fields[name];
    if (!Array.isArray(known)) fields[name] = known === undefined ? value : [known, value];
  }
  return fields;
}
