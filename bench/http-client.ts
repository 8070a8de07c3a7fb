import { connect, type Socket } from 'node:net';

/** One answer: status code, head as it came (latin1), body as text. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends one whole HTTP/1.1 request (text) and resolves with its answer. */
export type Exchange = (request: string) => Promise<Answer>;

/** One keep-alive connection; one request in flight at a time. */
export interface Connection {
  readonly exchange: Exchange;
  close(): void;
}

const headEndMark = '\r\n\r\n';
/** One search instead of a list of lines: servers differ in how many headers they send, not in what is measured. */
const contentLength = /\r\ncontent-length: *(\d+)/i;

/**
 * Opens a lean HTTP/1.1 client on one raw socket to 127.0.0.1. It exists because the load program shares
 * the cores with the servers it measures: a general client would cost more than some of the answers.
 * Connects on the first request, and again when the server closed the connection between two requests.
 * Rejects when the connection breaks during a request or an answer takes longer than 30 seconds.
 */
export function openConnection(port: number): Connection {
  let socket: Socket | undefined;
  let received = '';
  let waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  function fail(error: Error): void {
    socket?.destroy();
    socket = undefined;
    received = '';
    const failed = waiting;
    waiting = undefined;
    failed?.reject(error);
  }

  function open(): Socket {
    const opened = connect({ host: '127.0.0.1', port, noDelay: true });
    opened.setEncoding('latin1');
    opened.setTimeout(30_000);
    opened.on('timeout', () => waiting && fail(new Error(`no answer from port ${port} within 30 s`)));
    opened.on('error', (error) => fail(error));
    opened.on('close', () => socket === opened && fail(new Error(`port ${port} closed the connection`)));
    opened.on('data', (chunk: unknown) => {
      received = received === '' ? String(chunk) : received + String(chunk);
      const answer = parseAnswer(received);
      if (answer === undefined) return;
      received = '';
      const answered = waiting;
      waiting = undefined;
      answered?.resolve(answer);
    });
    return opened;
  }

  return {
    exchange(request) {
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket ??= open();
        socket.write(request, 'latin1');
      });
    },
    close() {
      const closing = socket;
      socket = undefined;
      closing?.destroy();
    },
  };
}

/** Reads one complete answer from the text received so far; undefined while some of it is missing. */
export function parseAnswer(text: string): Answer | undefined {
  const headEnd = text.indexOf(headEndMark);
  if (headEnd < 0) return undefined;
  const status = Number(text.slice(9, 12));
  const head = text.slice(0, headEnd);
  const bodyStart = headEnd + headEndMark.length;
  if (status === 204 || status === 304) return { status, head, body: '' };
  const length = contentLength.exec(head)?.[1];
  if (length !== undefined) {
    const bodyEnd = bodyStart + Number(length);
    return text.length < bodyEnd ? undefined : { status, head, body: text.slice(bodyStart, bodyEnd) };
  }
  const body = parseChunks(text, bodyStart);
  return body === undefined ? undefined : { status, head, body };
}

function parseChunks(text: string, start: number): string | undefined {
  let body = '';
  let position = start;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', position);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(text.slice(position, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error('an answer with neither a length nor chunks');
    const chunkEnd = lineEnd + 2 + size;
    if (text.length < chunkEnd + 2) return undefined;
    if (size === 0) return body;
    body += text.slice(lineEnd + 2, chunkEnd);
    position = chunkEnd + 2;
  }
}

/** The value of the first header of that name (lower case); undefined when there is none. */
export function readHeader(head: string, name: string): string | undefined {
  return readHeaders(head, name)[0];
}

/** The values of every header of that name (lower case), in order. */
export function readHeaders(head: string, name: string): string[] {
  const values: string[] = [];
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon === name.length && line.slice(0, colon).toLowerCase() === name) {
      values.push(line.slice(colon + 1).trim());
    }
  }
  return values;
}

/** Writes one request as text; `body` is sent as JSON. `lines` are whole header lines without line ends. */
export function writeRequest(method: string, path: string, lines: readonly string[], body?: object): string {
  const json = body === undefined ? '' : JSON.stringify(body);
  const bodyLines =
    body === undefined
      ? ''
      : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n`;
  const headerLines = lines.map((line) => `${line}\r\n`).join('');
  return `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headerLines}${bodyLines}\r\n${json}`;
}
