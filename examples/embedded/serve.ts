/** Serves this folder and the built client: `node examples/embedded/serve.ts [port]`. For trying out, nothing more. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** @param client where `npm run build:sdk` has put the client @returns once it listens */
export async function serveExample(port: number, client: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    const name = path === '/' ? '/index.html' : path;
    const isClient = name.startsWith('/firstproof/');
    const file = isClient ? join(client, name.slice('/firstproof'.length)) : join(import.meta.dirname, name);
    const type = TYPES[extname(file)];
    const content = type === undefined ? Promise.reject(new Error('not served')) : readFile(file);
    content.then(
      (bytes) => response.writeHead(200, { 'content-type': type }).end(bytes),
      () => response.writeHead(404).end('There is nothing here.'),
    );
  });
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  return server;
}

if (import.meta.main) {
  const port = Number(process.argv[2] ?? 8080);
  await serveExample(port, join(import.meta.dirname, '../../sdk/dist'));
  process.stdout.write(`The page with its own sign-in: http://localhost:${port}\n`);
}
