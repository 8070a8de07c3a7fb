import { createServer, type Server } from 'node:http';
import type { App } from '../app.ts';
import type { Config } from '../config/config.ts';

/** Metrics and health on a port of their own, when one is configured. */
export async function startManagement(config: Config, app: App): Promise<Server | undefined> {
  if (config.managementPort === undefined) return undefined;
  const server = createServer((request, response) => {
    void answer(app, request.url ?? '/').then(({ status, type, text }) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(config.managementPort, config.host, resolve);
  });
  return server;
}

async function answer(app: App, url: string): Promise<{ status: number; type: string; text: string }> {
  const json = 'application/json; charset=utf-8';
  switch (url) {
    case '/metrics': {
      const { contentType, text } = await app.metrics.render();
      return { status: 200, type: contentType, text };
    }
    case '/health/live':
      return { status: 200, type: json, text: '{"status":"ok"}' };
    case '/health/ready': {
      const ready = await app.ready();
      return { status: ready ? 200 : 503, type: json, text: `{"status":"${ready ? 'ok' : 'unavailable'}"}` };
    }
    default:
      return { status: 404, type: json, text: '{"status":"not found"}' };
  }
}
