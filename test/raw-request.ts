import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  head: string;
  body: string;
}

/** Sends bytes as they are and reads one answer to the end of the connection; ask for `connection: close`. */
export function rawRequest(
  url: string,
  bytes: string | Buffer,
  timeoutMilliseconds = 5000,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const parts: Buffer[] = [];
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end of the answer: ${Buffer.concat(parts).toString()}`));
    }, timeoutMilliseconds);
    const done = (): void => {
      clearTimeout(timer);
      const text = Buffer.concat(parts).toString();
      const split = text.indexOf('\r\n\r\n');
      const head = split < 0 ? text : text.slice(0, split);
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
      resolve({ status, head, body: split < 0 ? '' : text.slice(split + 4) });
    };
    socket.on('data', (part) => parts.push(part));
    socket.on('close', done);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The server may close before it has read everything we wrote; what it answered counts.
      if (parts.length === 0 && error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
    });
    socket.write(bytes);
  });
}
