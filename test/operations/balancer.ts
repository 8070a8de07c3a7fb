import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A load balancer as plain as can be: it asks for readiness, keeps connections open, and tries nothing twice. */
export interface Balancer {
  url: string;
  /** Whether a server gets requests at present. */
  isServing(url: string): boolean;
  /** Takes a restarted server in again, under its new address. */
  replace(old: string, now: string): void;
  close(): Promise<void>;
}

const ASK_EVERY_MILLISECONDS = 200;

interface Backend {
  url: string;
  ready: boolean;
  agent: Agent;
}

export async function createBalancer(urls: readonly string[]): Promise<Balancer> {
  const open = (url: string): Backend => ({ url, ready: true, agent: new Agent({ keepAlive: true }) });
  let backends = urls.map(open);
  let turn = 0;
  let closed = false;

  async function watch(): Promise<void> {
    while (!closed) {
      for (const backend of backends) {
        const answer = await fetch(`${backend.url}/health/ready`).catch(() => undefined);
        await answer?.arrayBuffer();
        backend.ready = answer?.status === 200;
      }
      await wait(ASK_EVERY_MILLISECONDS);
    }
  }

  const server: Server = createServer((incoming, outgoing) => {
    const ready = backends.filter((backend) => backend.ready);
    const backend = ready[turn++ % ready.length];
    if (!backend) return void outgoing.writeHead(502).end('{"error":"no server is ready"}');
    const { method, headers, url } = incoming;
    const options = { method: method ?? 'GET', headers, agent: backend.agent };
    const upstream = request(backend.url + String(url), options, (answer) => {
      const { connection: _connection, ...rest } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, rest);
      answer.pipe(outgoing);
    });
    upstream.on('error', (error) => {
      if (!outgoing.headersSent) outgoing.writeHead(502);
      outgoing.end(JSON.stringify({ error: String(error) }));
    });
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const watching = watch();

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isServing: (url) => backends.some((backend) => backend.url === url && backend.ready),
    replace(old, now) {
      for (const backend of backends) if (backend.url === old) backend.agent.destroy();
      backends = [...backends.filter((backend) => backend.url !== old), open(now)];
    },
    async close() {
      closed = true;
      await watching;
      for (const backend of backends) backend.agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
