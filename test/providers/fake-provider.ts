import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { Envelope } from '../../src/delivery/delivery.ts';

/** A request as a provider's server gets it. */
export interface ReceivedRequest {
  method: string;
  /** As the caller meant it: with the provider's own host. */
  url: URL;
  headers: IncomingMessage['headers'];
  text: string;
  /** The fields of a form; empty for other bodies. */
  form: Record<string, string>;
}

export type Behaviour = (request: ReceivedRequest, response: ServerResponse) => void;

/** A provider's server that does what a test says. */
export interface FakeProvider {
  received: ReceivedRequest[];
  behave: Behaviour;
  /** Reaches this server whatever host is named. */
  fetch: typeof fetch;
  close(): Promise<void>;
}

export const answers =
  (status: number, body: unknown, headers: Record<string, string> = {}): Behaviour =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

/** Half a kilobyte for each half megabyte of spaces. */
const BOMB = gzipSync(Buffer.alloc(50_000_000, ' '));

/** How much of huge bodies was taken off the fake's hands. */
export const written = { bytes: 0 };

/** Everything that a provider may do instead of answering as its description says. None of it may count as sent. */
export const faults: Record<string, Behaviour> = {
  hang: () => {},
  reset: (_request, response) => response.socket?.destroy(),
  'too many requests': answers(429, '', { 'retry-after': '7' }),
  'too many requests, no word of when': answers(429, 'slow down'),
  unavailable: answers(503, '', { 'retry-after': 'Wed, 21 Oct 1999 07:28:00 GMT' }),
  'internal error': answers(500, '{"message":"out of order"}'),
  'bad gateway page': answers(502, '<html><h1>502</h1></html>', { 'content-type': 'text/html' }),
  'page with 200': answers(200, '<html>Welcome to our hotel network</html>', { 'content-type': 'text/html' }),
  'empty body': answers(200, ''),
  'half of an answer': answers(200, '{"sid": "SM0000'),
  null: answers(200, 'null'),
  'a list': answers(200, '[]'),
  'XML instead': answers(200, '<response><status>0</status></response>', { 'content-type': 'text/xml' }),
  'binary with 200': answers(200, '\u0000\u0001\ufffd', { 'content-type': 'application/octet-stream' }),
  redirect: answers(302, '', { location: 'https://elsewhere.example/' }),
  'huge body': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = (): void => {
      let isTaken = true;
      while (!response.destroyed && isTaken) {
        isTaken = response.write('x'.repeat(65_536));
        written.bytes += 65_536;
      }
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  },
  'small and a bomb': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.end(BOMB);
  },
  'shorter than it said': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
    response.write('{"sid":"SM00000000000000000000000000000000","ok":true', () => response.socket?.destroy());
  },
  'slow drip': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const drip = setInterval(() => (response.destroyed ? clearInterval(drip) : response.write(' ')), 20);
  },
};

export async function createFakeProvider(behave: Behaviour): Promise<FakeProvider> {
  const received: ReceivedRequest[] = [];
  const server: Server = createServer((request, response) => {
    response.on('error', () => {});
    void read(request).then((one) => {
      received.push(one);
      fake.behave(one, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fake: FakeProvider = {
    received,
    behave,
    fetch: (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const headers = new Headers(init?.headers);
      headers.set('x-meant-for', url.origin);
      return fetch(origin + url.pathname + url.search, { ...init, headers });
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return fake;
}

async function read(request: IncomingMessage): Promise<ReceivedRequest> {
  const text = (await buffer(request)).toString();
  const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded';
  return {
    method: request.method ?? '',
    url: new URL(request.url ?? '', String(request.headers['x-meant-for'])),
    headers: request.headers,
    text,
    form: isForm ? Object.fromEntries(new URLSearchParams(text)) : {},
  };
}

/** A code for a phone, as a provider gets it. */
export function envelopeOf(more: Partial<Envelope> = {}): Envelope {
  return {
    id: '0196d5c0-0000-7000-8000-000000000001',
    tenantId: '0196d5c0-0000-7000-8000-00000000000a',
    channel: 'sms',
    to: '+14155552671',
    subject: null,
    text: '123456 is your Acme code. Never share it.',
    html: null,
    code: '123456',
    expiresIn: 300,
    senderName: 'Acme',
    locale: 'en',
    ...more,
  };
}
