import type { FastifyInstance } from 'fastify';
import { silentLog } from '../kernel/log.ts';
import { createHttpServer } from '../web/server.ts';
import { type ApiContext, registerApi } from './api.ts';

/**
 * The OpenAPI document, made from the routes' own schemas without starting anything.
 * @param registerOthers registers what belongs to the same document beside /api/v1
 */
export async function openApiDocument(registerOthers: (server: FastifyInstance) => void): Promise<object> {
  const server = createHttpServer({ log: silentLog, secure: true, isUnavailable: () => false });
  // No handler runs, so what the handlers would work with need not exist.
  const context = {
    signIn: { tenants: { onChange: () => {} } },
    publicUrl: 'https://auth.example.com',
    version: '1',
  } as unknown as ApiContext;
  await registerApi(server, context, undefined);
  registerOthers(server);
  await server.ready();
  const document = (server as unknown as { swagger(): object }).swagger();
  await server.close();
  return document;
}
