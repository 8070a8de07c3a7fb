import { Type } from 'typebox';
import type { ApiServer } from './api.ts';
import { Failure } from './schemas.ts';

export interface Health {
  version: string;
  /** Resolves true when databases answer, migrations are done and keys are loaded; never rejects. */
  ready: () => Promise<boolean>;
}

const State = Type.Object({ status: Type.Enum(['ok', 'unavailable']), version: Type.String() });

/** GET /health/live (the process runs) and GET /health/ready (send it traffic). */
export function healthRoutes(server: ApiServer, health: Health): void {
  const { version } = health;
  server.get(
    '/health/live',
    {
      config: { isCheap: true },
      schema: { summary: 'The process runs', tags: ['health'], response: { 200: State, 400: Failure } },
    },
    (_request, reply) => {
      reply.send({ status: 'ok' as const, version });
    },
  );
  server.get(
    '/health/ready',
    {
      config: { isCheap: true },
      schema: {
        summary: 'Ready for traffic',
        tags: ['health'],
        response: { 200: State, 400: Failure, 503: State },
      },
    },
    async (_request, reply) => {
      const ready = await health.ready();
      if (!ready) reply.header('retry-after', '1');
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'unavailable', version });
    },
  );
}
