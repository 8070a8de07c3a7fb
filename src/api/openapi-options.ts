import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from './context.ts';
import { idempotencyHeader } from './idempotency.ts';

interface Operation {
  requestBody?: { required?: boolean };
}

/** How the OpenAPI document is made of the routes registered after this; bodies that may be left out are told so. */
export function openApiOptions(fastify: FastifyInstance, context: ApiContext): FastifyDynamicSwaggerOptions {
  const optional: { path: string; method: string }[] = [];
  fastify.addHook('onRoute', ({ url, method, config }) => {
    if (config?.optionalBody !== true) return;
    const path = url.replaceAll(/:(\w+)/g, '{$1}');
    for (const one of [method].flat()) optional.push({ path, method: one.toLowerCase() });
  });
  return {
    openapi: openApiHead(context),
    transform: ({ schema, url, route }) => ({
      schema: route.config?.idempotent ? { ...schema, headers: idempotencyHeader } : schema,
      url,
    }),
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject;
      const paths = (document.openapiObject.paths ?? {}) as Record<string, Record<string, Operation>>;
      for (const { path, method } of optional) {
        const body = paths[path]?.[method]?.requestBody;
        if (body) body.required = false;
      }
      return document.openapiObject;
    },
  };
}

function openApiHead(context: ApiContext): Record<string, unknown> {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Firstproof',
      version: context.version,
      description: 'OTP-first authentication: no account exists until its owner has proved an address.',
    },
    servers: [{ url: context.publicUrl }],
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An access token or an opaque session token.',
        },
        api_key: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Api-Key',
          description: 'Also as Bearer or HTTP Basic password.',
        },
      },
    },
  };
}
