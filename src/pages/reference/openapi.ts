/** As much of an OpenAPI 3.1 document as the reference shows. */
export interface OpenApi {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, RawOperation>>;
  components?: { schemas?: Record<string, Schema> };
}

interface RawOperation {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, { description?: string; content?: Record<string, { schema: Schema }> }>;
  security?: Record<string, string[]>[];
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: Schema;
}

export interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  description?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  additionalProperties?: boolean | Schema;
  $ref?: string;
}

/** One call of the API, ready to be shown. */
export interface Operation extends RawOperation {
  /** Its anchor on the page: post-api-v1-auth-login. */
  id: string;
  method: string;
  path: string;
  tag: string;
  body: Schema | undefined;
  isForm: boolean;
  /** What it is called with: nothing, a person's token, or an API key. */
  key: 'none' | 'bearer' | 'api_key';
}

/** The calls by their tag, in the order of the document. */
export function operationsByTag(document: OpenApi): Map<string, Operation[]> {
  const groups = new Map<string, Operation[]>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, raw] of Object.entries(methods)) {
      const tag = raw.tags?.[0] ?? 'other';
      const content = raw.requestBody?.content ?? {};
      const [type, media] = Object.entries(content)[0] ?? [];
      const operation: Operation = {
        ...raw,
        id: `${method}${path.replace(/[^a-z0-9]+/gi, '-')}`.replace(/-$/, '').toLowerCase(),
        method: method.toUpperCase(),
        path,
        tag,
        body: media && resolve(document, media.schema),
        isForm: type === 'application/x-www-form-urlencoded',
        key: raw.security?.[0] === undefined ? 'none' : 'api_key' in raw.security[0] ? 'api_key' : 'bearer',
      };
      groups.set(tag, [...(groups.get(tag) ?? []), operation]);
    }
  }
  return groups;
}

/** A schema itself, where the document only points to it. */
export function resolve(document: OpenApi, schema: Schema): Schema {
  const name = schema.$ref?.replace('#/components/schemas/', '');
  return (name !== undefined && document.components?.schemas?.[name]) || schema;
}
