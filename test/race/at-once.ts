import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import type { TestApp } from '../create-test-app.ts';

/** A POST that is to arrive together with others. */
export interface RacingRequest {
  app: TestApp;
  path: string;
  body: unknown;
  /** The caller's address. */
  from?: string;
  tenant?: string;
  headers?: Readonly<Record<string, string>>;
}

export interface RacingAnswer {
  status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are checked field by field
  body: any;
}

/**
 * Sends many requests so that they arrive together: each has its own connection and is written but for its last
 * byte; when all stand ready, the last bytes go out in one turn of the event loop. Answers come in the given order.
 */
export async function atOnce(requests: readonly RacingRequest[]): Promise<RacingAnswer[]> {
  const held = await Promise.all(requests.map(hold));
  return Promise.all(held.map((release) => release()));
}

async function hold(request: RacingRequest): Promise<() => Promise<RacingAnswer>> {
  const body = Buffer.from(JSON.stringify(request.body));
  const head = [
    `POST ${request.path} HTTP/1.1`,
    'host: localhost',
    'connection: close',
    'content-type: application/json',
    `content-length: ${body.byteLength}`,
    ...(request.from === undefined ? [] : [`x-forwarded-for: ${request.from}`]),
    ...Object.entries(request.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    ...(request.tenant === undefined ? [] : [`x-tenant: ${request.tenant}`]),
  ];
  const { hostname, port } = new URL(request.app.url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const opening = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body.subarray(0, -1)]);
  await new Promise((resolve) => socket.write(opening, resolve));
  return () => {
    const answer = readAnswer(socket);
    socket.write(body.subarray(-1));
    return answer;
  };
}

async function readAnswer(socket: Socket): Promise<RacingAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
  assert.ok(status, `an answer came: ${text.slice(0, 80)}`);
  return { status: Number(status), body: JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) };
}

/** How often each outcome came: `200` or `401 INVALID_CODE`. */
export function tally(answers: readonly RacingAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const name = body.error === undefined ? String(status) : `${status} ${body.error}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
