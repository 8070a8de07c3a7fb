import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands before a server or a database, and can be cut. */
export interface TcpProxy {
  host: string;
  port: number;
  /** Ends every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Keeps every connection open and lets nothing through, as a firewall that drops packets. */
  stall(): void;
  /** Ends the next so many connections that are answered, before a byte of the answer passes. */
  loseAnswers(count: number): void;
  /** Lets everything through again. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1 and passes every byte on, both ways. */
export async function createTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let stalled = false;
  let lost = 0;

  function accept(socket: Socket): void {
    const upstream = connect(target);
    const pair = [socket, upstream] as const;
    pairs.add(pair);
    const pass = (from: Socket, to: Socket): void => {
      from.on('data', (part) => {
        if (!stalled) to.write(part);
      });
      const end = (): void => {
        pairs.delete(pair);
        to.destroy();
      };
      from.on('error', end).on('close', end);
    };
    pass(socket, upstream);
    upstream.on('data', () => {
      if (lost === 0) return;
      lost--;
      socket.destroy();
    });
    pass(upstream, socket);
  }

  let server: Server = createServer(accept);
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server = createServer(accept);
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const { port } = address;

  const drop = (): void => {
    for (const [left, right] of pairs) {
      left.destroy();
      right.destroy();
    }
  };
  const cut = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      drop();
    });
  return {
    host: '127.0.0.1',
    port,
    cut,
    stall() {
      stalled = true;
    },
    loseAnswers(count) {
      lost = count;
    },
    async restore() {
      if (stalled) drop();
      stalled = false;
      if (!server.listening) await listen(port);
    },
    close: cut,
  };
}
